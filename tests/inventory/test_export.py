"""Exports of the inventory: what is in them, for whom, and that their size costs no memory."""

import csv
import io
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from arcadia_cloud.kernel.api.throttles import breaker
from deployments.models import Deployment
from inventory import export as export_module
from inventory.export import Format, export
from inventory.models import Resource
from tests.access import bearer, token_of
from tests.inventory.observations import a_project, bury, minute, observed, seen

pytestmark = pytest.mark.django_db
EXPORT = "/api/v1/inventory/export"
LIST = "/api/v1/inventory"
MONEY = ("price", "cost", "cents", "currency", "4242")
MANY, MOST_GROWTH_MB = 200_000, 15


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else downloads: what another test left unread keeps its place until it is collected."""
    monkeypatch.setattr(export_module, "_PLACES", export_module._Places())


def resident_mb() -> float:
    """What this process holds."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line]
    return int(line.split()[1]) / 1024


def fill(count: int) -> None:
    """So many droplets of nobody's."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status,
                attributed_by, attribution_note, parent_kind, parent_id, tags, attrs, first_seen_at,
                last_seen_at, stale_strike_count)
            SELECT 'digitalocean', 'droplet', n::text, 'do:droplet:' || n, 'web-' || n, 'fra1', 'active',
                '', '', '', '', ARRAY['web'], jsonb_build_object('vcpus', 1, 'image', 'debian-12-x64'), now(),
                now(), 0
            FROM generate_series(1, %s) AS n
            """,
            [count],
        )
        cursor.execute("ANALYZE cloud_resources")


@pytest.fixture
def fleet() -> None:
    """Two of acme's, one of globex's, one of nobody's, and one of acme's that is gone."""
    acme, globex = a_project("acme", "acme").pk, a_project("globex", "globex").pk
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    observed(
        seen("1", name="shop-web", project_id=acme, tenant_id="acme", deployment_id=shop.pk),
        seen("2", name='Köln, "DB"', project_id=acme, region="ams3", tags=["env:test", "role:db"]),
        seen("3", name="crm", project_id=globex, monthly_price_cents=4242),
        seen("4", name="bastion", monthly_price_cents=None, region=""),
        seen("5", name="gone", project_id=acme),
    )
    bury(["5"], at=minute(10))


def asked(*roles: str, of: str | None = None, **query: str) -> Any:
    return Client().get(EXPORT, query, headers=bearer(token_of(*roles, tenant=of)))


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    assert isinstance(answer, StreamingHttpResponse)
    return answer.getvalue().decode()


def rows_of(answer: Any) -> list[dict[str, str]]:
    """The lines of a CSV by their column's name."""
    return list(csv.DictReader(io.StringIO(text_of(answer), newline="")))


def operators_rows(**query: str) -> list[dict[str, str]]:
    return rows_of(asked("platform_admin", **query))


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
    told = json.loads(text_of(asked("platform_admin", format="json")))
    assert [row["project"] for row in told] == ["globex", "bastions"]


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


def test_a_tenant_gets_its_own_rows_and_no_price(fleet: None) -> None:
    for form in Format:
        text = text_of(asked(of="acme", format=form))
        assert "shop-web" in text
        assert "globex" not in text
        assert "bastion" not in text
        assert not [word for word in MONEY if word in text.lower()]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer("not.a.token"), 401),
        (bearer(token_of()), 403),
        (bearer(token_of("metering", tenant="acme")), 403),
    ],
)
def test_who_may_not_read_gets_no_file(fleet: None, headers: dict[str, str], status: int) -> None:
    answer = Client().get(EXPORT, headers=headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"format": ""}, "format"),
        ({"colour": "blue"}, "colour"),
        ({"limit": "5"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"ordering": "name"}, "ordering"),
        ({"kind": "toaster"}, "kind"),
        ({"q": "\0"}, "q"),
    ],
)
def test_nonsense_is_refused_by_name(query: dict[str, str], field: str) -> None:
    answer = asked("platform_admin", **query)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_only_operators_may_ask_for_a_tenant(fleet: None) -> None:
    headers = bearer(token_of(tenant="acme"))

    for tenant in ("globex", "acme"):
        assert Client().get(EXPORT, {"tenant": tenant}, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"), [("text/csv", 200), ("application/json", 200), ("*/*", 200), ("image/png", 406)]
)
def test_a_client_may_name_either_media_type(accept: str, status: int) -> None:
    headers = {**bearer(token_of("platform_admin")), "Accept": accept}

    assert Client().get(EXPORT, headers=headers).status_code == status
    described = Client().options(EXPORT, headers=headers)
    assert described.headers["Content-Type"] in {"application/json", "application/problem+json"}


def test_an_export_counts_against_the_tenants_minute(settings: Any) -> None:
    breaker.reset()
    settings.ARCADIA_API_REQUESTS_PER_MINUTE = 1

    assert [asked(of="acme").status_code for _ in range(2)] == [200, 429]


def test_without_rows_both_forms_are_whole() -> None:
    assert json.loads(text_of(asked("platform_admin", format="json"))) == []
    assert text_of(asked("platform_admin")).count("\r\n") == 1


@pytest.mark.parametrize("rows", [3, 4])
def test_pages_meet_without_a_gap_or_a_repeat(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    monkeypatch.setattr(export_module, "_ROWS_A_PAGE", 2)
    observed(*(seen(str(number)) for number in range(rows)))

    with django_assert_num_queries(rows // 2 + 1):
        exported = json.loads(text_of(asked("platform_admin", format="json")))

    assert [row["provider_id"] for row in exported] == [str(number) for number in range(rows)]
    assert [row["provider_id"] for row in operators_rows()] == [str(number) for number in range(rows)]


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


def test_the_file_begins_before_the_last_row_is_read(fleet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes into being after the beginning was sent is in the file."""
    monkeypatch.setattr(export_module, "_ROWS_A_PAGE", 2)
    pieces = iter(asked("platform_admin").streaming_content)

    assert b"shop-web" in next(pieces)
    observed(seen("6", name="late"))

    assert b"late" in b"".join(pieces)


def test_a_database_that_fails_is_an_error_and_no_file_that_ends_early(fleet: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cloud_resources RENAME TO cloud_resources_away")

    answer = Client(raise_request_exception=False).get(EXPORT, headers=bearer(token_of("platform_admin")))

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_tenant_downloads_one_at_a_time_and_two_tenants_leave_threads_for_others(fleet: None) -> None:
    first = asked(of="acme")
    refused = asked(of="acme", format="json")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert refused.json()["type"] == "urn:arcadia-cloud:problem:too_many_downloads"

    other = asked(of="globex")
    assert other.status_code == 200
    assert asked(of="initech").status_code == 429
    assert Client().get(LIST, headers=bearer(token_of(tenant="initech"))).status_code == 200

    text_of(first)
    text_of(other)
    assert asked(of="acme").status_code == asked(of="initech").status_code == 200


def test_a_client_that_leaves_gives_its_place_back_once() -> None:
    told: list[str] = []
    held = export_module._Download([b"a" * 200_000], lambda: told.append("back"))
    assert len(next(held)) == 65_536
    held.close()  # as the web server does, at the end and when the client leaves
    held.close()
    assert told == ["back"]
    assert list(held) == []


def test_a_long_file_comes_in_pieces_that_a_slow_client_can_take(fleet: None) -> None:
    observed(*(seen(str(number), name="n" * 250) for number in range(10, 400)))
    pieces = list(asked("platform_admin", format="json").streaming_content)
    assert max(map(len, pieces)) == 65_536
    assert len(json.loads(b"".join(pieces))) == 394


@pytest.mark.processes
@pytest.mark.parametrize("form", list(Format))
def test_two_hundred_thousand_rows_cost_no_more_memory_than_a_few_pages(form: Format) -> None:
    fill(MANY)
    pieces = export(Resource.objects.live(), form, for_operator=True)
    size = sum(len(next(pieces)) for _ in range(10))
    before = resident_mb()
    most = before
    for piece in pieces:
        size += len(piece)
        most = max(most, resident_mb())

    assert size > MANY * 200
    assert most - before < MOST_GROWTH_MB


class TestCommand:
    """manage.py inventory_export."""

    @staticmethod
    def names(*arguments: str) -> list[str]:
        out = io.StringIO()
        call_command("inventory_export", "--format=json", *arguments, stdout=out)
        return [row["name"] for row in json.loads(out.getvalue())]

    def test_it_writes_what_an_operator_sees(self, fleet: None) -> None:
        out = io.StringIO(newline="")
        call_command("inventory_export", "--format=csv", stdout=out)
        assert out.getvalue() == text_of(asked("platform_admin"))

    def test_it_narrows_by_kind_tenant_and_life(self, fleet: None) -> None:
        assert self.names("--tenant=globex") == ["crm"]
        assert self.names("--deleted") == ["gone"]
        assert self.names("--kind=volume") == []
        assert len(self.names("--kind=volume", "--kind=droplet")) == 4

    def test_an_unknown_kind_or_format_is_refused(self) -> None:
        for arguments in (["--format=csv", "--kind=toaster"], ["--format=xml"], []):
            with pytest.raises(CommandError):
                call_command("inventory_export", *arguments)

    def test_a_file_is_there_once_it_is_whole(self, fleet: None, tmp_path: Path) -> None:
        file = tmp_path / "fleet.csv"
        file.write_text("of yesterday")
        call_command("inventory_export", "--format=csv", f"--output={file}")
        assert file.read_bytes().decode() == text_of(asked("platform_admin"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, fleet: None, tmp_path: Path) -> None:
        file = tmp_path / "fleet.csv"
        file.mkdir()
        with pytest.raises(CommandError, match=r"fleet\.csv: Is a directory"):
            call_command("inventory_export", "--format=csv", f"--output={file}")
        with pytest.raises(CommandError, match="No such file or directory"):
            call_command("inventory_export", "--format=csv", f"--output={tmp_path}/no/such")
        assert list(tmp_path.iterdir()) == [file]

    def test_a_device_is_not_replaced_by_a_file(self, fleet: None, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with pytest.raises(CommandError, match="pipe"):
            call_command("inventory_export", "--format=csv", f"--output={pipe}")
        assert pipe.is_fifo()
