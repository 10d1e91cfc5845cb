"""Exports of the inventory: what is in them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.access import bearer, token_of
from tests.inventory.exports import EXPORT, LIST, asked, fleet, operators_rows, places, text_of
from tests.inventory.observations import a_project, observed, seen

__all__ = ["fleet", "places"]
pytestmark = pytest.mark.django_db


def test_json_is_what_the_list_shows_oldest_first(fleet: None) -> None:
    for roles, tenant in ((["platform_admin"], None), ([], "acme")):
        page = Client().get(LIST, {"ordering": "id"}, headers=bearer(token_of(*roles, tenant=tenant)))

        exported = json.loads(text_of(asked(*roles, of=tenant, format="json")))

        assert exported == page.json()["results"]
        assert [list(row) for row in exported] == [list(row) for row in page.json()["results"]]


def test_a_tenant_is_not_told_of_a_project_that_is_anothers() -> None:
    globex, ours = a_project("globex", "globex").pk, a_project("bastions", None).pk
    observed(seen("1", project_id=globex, tenant_id="acme"), seen("2", project_id=ours, tenant_id="acme"))

    [exported, page] = (
        json.loads(text_of(asked(of="acme", format="json"))),
        Client().get(LIST, headers=bearer(token_of(tenant="acme"))).json()["results"],
    )
    one = Client().get(f"{LIST}/{page[0]['id']}", headers=bearer(token_of(tenant="acme"))).json()

    assert {(row["project"], row["project_id"]) for row in (*exported, *page, one)} == {(None, None)}
    exported = json.loads(text_of(asked("platform_admin", format="json")))
    assert [row["project"] for row in exported] == ["globex", "bastions"]


def test_csv_has_a_line_of_names_and_every_value_as_text(fleet: None) -> None:
    answer = asked("platform_admin")
    lines = text_of(answer).split("\r\n")

    assert lines[0].startswith('"id","kind","provider_id","name","region"')
    assert len(lines) == 6  # the last one is empty
    [_, second, third, fourth] = operators_rows()
    assert second["name"] == 'Köln, "DB"'
    assert second["tags"] == "env:test, role:db"
    assert json.loads(second["attrs"]) == {"size_slug": "s-1vcpu-1gb", "locked": False}
    assert second["provider_created_at"] == "2026-03-01T11:00:00Z"
    assert second["deleted_at"] == second["deployment"] == ""
    assert (third["tenant_id"], third["monthly_price_cents"], third["currency"]) == ("globex", "4242", "USD")
    assert (fourth["tenant_id"], fourth["monthly_price_cents"], fourth["region"]) == ("", "", "")


@pytest.mark.parametrize(
    ("form", "media_type"), [("csv", "text/csv; charset=utf-8"), ("json", "application/json")]
)
def test_a_download_is_named_by_its_day_and_kept_by_nobody_between(
    fleet: None, form: str, media_type: str, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 3, 1, 23, 59, tzinfo=UTC), tick=False)
    answer = asked("platform_admin", format=form)
    head = Client().head(EXPORT, {"format": form}, headers=bearer(token_of("platform_admin")))

    for headers in (answer.headers, head.headers):
        assert headers["Content-Type"] == media_type
        assert headers["Content-Disposition"] == f'attachment; filename="inventory-2026-03-01.{form}"'
        assert headers["Cache-Control"] == "no-store"
    assert head.content == b""


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["shop-web", 'Köln, "DB"', "crm", "bastion"]),
        ({"tenant": "globex"}, ["crm"]),
        ({"region": "ams3"}, ['Köln, "DB"']),
        ({"tag": "role:db"}, ['Köln, "DB"']),
        ({"q": "SHOP"}, ["shop-web"]),
        ({"deleted": "true"}, ["gone"]),
        ({"kind": "volume"}, []),
    ],
)
def test_an_export_holds_what_the_lists_filters_leave(
    fleet: None, query: dict[str, str], names: list[str]
) -> None:
    assert [row["name"] for row in operators_rows(**query)] == names
    assert [
        row["name"] for row in json.loads(text_of(asked("platform_admin", format="json", **query)))
    ] == names


def test_without_rows_both_forms_are_whole() -> None:
    assert json.loads(text_of(asked("platform_admin", format="json"))) == []
    assert text_of(asked("platform_admin")).count("\r\n") == 1


@pytest.mark.parametrize(
    "start",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "\uff1d1", "\uff201"],
)
def test_no_cell_is_a_formula(start: str) -> None:
    acme = a_project(start, start)
    observed(seen("1", name=start, status=start, region=start, urn=start, tags=[start], project_id=acme.pk))

    [row] = operators_rows()

    for name in ("name", "status", "region", "urn", "tags", "project", "tenant_id"):
        assert row[name] == f"'{start}"
    [same] = json.loads(text_of(asked("platform_admin", format="json")))
    assert same["name"] == start


@pytest.mark.parametrize("harmless", ["1-1", "a=b", "'quoted", "", " "])
def test_other_cells_stay_as_they_are(harmless: str) -> None:
    observed(seen("1", name=harmless))

    assert operators_rows()[0]["name"] == harmless
