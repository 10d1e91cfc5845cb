"""The drift API: what operators see and do, one by one and in bulk, and that nobody else may."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from drift.models import Drift
from drift.services import accept_drift
from provisioning.models import Provisioned, SagaRun
from tests.access import bearer, token_of
from tests.drift.rows import copy_rows, drifted

pytestmark = pytest.mark.django_db
DRIFT = "/api/v1/drift"


@pytest.fixture
def operator() -> Client:
    return Client(headers=bearer(token_of("platform_admin", subject="operator-1")))


def post(client: Client, address: str, body: Any = None) -> Any:
    return client.post(address, json.dumps(body or {}), content_type="application/json")


@pytest.mark.parametrize("role", ["member", "metering"])
def test_tenants_may_neither_see_nor_act_on_drift(role: str) -> None:
    (drift,) = drifted("web", tenant="acme")
    client = Client(headers=bearer(token_of(role, tenant="acme")))
    reads = [client.get(DRIFT + path).status_code for path in ("", "/summary", f"/{drift.pk}")]
    writes = [
        post(client, f"{DRIFT}/{path}").status_code
        for path in ("bulk", f"{drift.pk}/accept", f"{drift.pk}/revert", f"{drift.pk}/ignore")
    ]
    assert {*reads, *writes} == {403}
    drift.refresh_from_db()
    assert drift.status == "open"


def test_the_open_rows_are_listed_with_their_resource(operator: Client) -> None:
    (drift,) = drifted("web", spec={"region": "ams3", "name": "web"}, tenant="acme")
    (row,) = operator.get(DRIFT).json()["results"]
    assert (row["id"], row["field"], row["expected"], row["actual"]) == (drift.pk, "region", "ams3", "fra1")
    assert (row["resource_name"], row["tenant_id"], row["status"]) == ("web", "acme", "open")
    assert row["refusal"].startswith("DigitalOcean moves nothing")
    assert operator.get(f"{DRIFT}/{drift.pk}").json() == row


def test_filters_narrow_the_list_and_what_is_resolved_is_there_by_its_status(operator: Client) -> None:
    rows = drifted("web", spec={"region": "ams3", "name": "wap"}, tenant="acme")
    web, name = sorted(rows, key=lambda row: row.field, reverse=True)
    accept_drift(drift_pk=name.pk, actor="a test", at=timezone.now())
    cases = {
        "": [web.pk],
        "?status=accepted": [name.pk],
        "?kind=droplet": [web.pk],
        "?kind=volume": [],
        "?field=region": [web.pk],
        "?field=name": [],
        "?tenant=acme": [web.pk],
        "?tenant=globex": [],
        f"?resource={web.resource_id}": [web.pk],
        f"?cause={web.cause}": [web.pk],
    }
    found = {query: [row["id"] for row in operator.get(DRIFT + query).json()["results"]] for query in cases}
    assert found == cases
    assert operator.get(f"{DRIFT}?statuss=open").status_code == 400
    assert operator.get(f"{DRIFT}?status=gone").status_code == 400


def test_an_accepted_value_is_desired_and_a_second_accept_is_told_who_was_first(operator: Client) -> None:
    (drift,) = drifted("web")
    answer = post(operator, f"{DRIFT}/{drift.pk}/accept", {"cause": drift.cause, "note": "moved"})
    assert (answer.status_code, answer.json()["status"], answer.json()["note"]) == (200, "accepted", "moved")
    assert Provisioned.objects.get().spec == {"region": "fra1"}
    second = post(operator, f"{DRIFT}/{drift.pk}/accept")
    assert (second.status_code, second.json()["type"].rpartition("/")[2].rpartition(":")[2]) == (
        409,
        "drift_resolved",
    )


def test_what_the_operator_has_not_seen_is_not_accepted(operator: Client) -> None:
    (drift,) = drifted("web")
    assert post(operator, f"{DRIFT}/{drift.pk}/accept", {"cause": "another"}).status_code == 409
    assert Provisioned.objects.get().spec == {"region": "ams3"}


def test_a_region_is_not_put_back_and_the_answer_has_the_reason(operator: Client) -> None:
    (drift,) = drifted("web")
    answer = post(operator, f"{DRIFT}/{drift.pk}/revert")
    assert answer.status_code == 422
    assert "moves nothing to another region" in answer.json()["errors"]["region"][0]
    assert not SagaRun.objects.exists()


def test_a_revert_shows_its_saga_and_a_second_one_is_a_conflict(operator: Client) -> None:
    (drift,) = drifted("web", spec={"name": "wap"})
    answer = post(operator, f"{DRIFT}/{drift.pk}/revert").json()
    saga = SagaRun.objects.get()
    assert (answer["status"], answer["revert_saga_id"]) == ("open", saga.pk)
    assert saga.inputs == {"resource_id": drift.resource_id, "fields": ["name"]}
    assert post(operator, f"{DRIFT}/{drift.pk}/revert").status_code == 409
    assert SagaRun.objects.count() == 1


def test_an_ignored_row_leaves_the_inbox(operator: Client) -> None:
    (drift,) = drifted("web")
    answer = post(operator, f"{DRIFT}/{drift.pk}/ignore", {"reason": "a trial"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert operator.get(DRIFT).json()["results"] == []
    assert operator.get(f"{DRIFT}/summary").json()["ignored"] == 1
    assert post(operator, f"{DRIFT}/{drift.pk}/ignore", {}).status_code == 400


def test_bulk_answers_for_each_id_and_one_refusal_holds_up_no_other(operator: Client) -> None:
    one, two = drifted("web", "db")
    accept_drift(drift_pk=one.pk, actor="a test", at=timezone.now())
    answer = post(operator, f"{DRIFT}/bulk", {"action": "accept", "ids": [one.pk, two.pk, 999]})
    found = [(each["id"], each["status"]) for each in answer.json()["results"]]
    assert found == [(one.pk, 409), (two.pk, 200), (999, 404)]
    assert Drift.objects.get(pk=two.pk).status == "accepted"


def test_fields_of_one_resource_are_put_back_by_one_saga(operator: Client) -> None:
    rows = drifted("web", "db", spec={"name": "wap", "tags": ["new"], "region": "ams3"})
    answer = post(operator, f"{DRIFT}/bulk", {"action": "revert", "ids": [row.pk for row in rows]}).json()
    outcomes = {each["id"]: each for each in answer["results"]}
    for row in rows:
        outcome = outcomes[row.pk]
        assert outcome["status"] == (422 if row.field == "region" else 200)
    assert SagaRun.objects.count() == 2
    assert sorted(SagaRun.objects.first().inputs["fields"]) == ["name", "tags"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete", "ids": [1]},
        {"action": "accept", "ids": []},
        {"action": "ignore", "ids": [1]},
        {"action": "accept", "ids": [1], "colour": "red"},
    ],
)
def test_a_bulk_body_that_makes_no_sense_is_refused(operator: Client, body: dict[str, Any]) -> None:
    assert post(operator, f"{DRIFT}/bulk", body).status_code == 400


def test_a_list_and_the_summary_take_the_same_queries_with_more_rows(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    (drift,) = drifted("web")
    for count in (0, 300):
        copy_rows(drift, count)
        with django_assert_num_queries(1):
            operator.get(DRIFT)
        with django_assert_num_queries(3):
            operator.get(f"{DRIFT}/summary")
