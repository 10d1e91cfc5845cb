"""The sagas API: what operators start and settle, and what a tenant sees of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from arcadia_cloud.kernel.retention import delete_expired_responses
from deployments.models import Deployment
from provisioning.engine.runner import run
from provisioning.models import SagaRun, SagaStepResult
from provisioning.states import SagaStatus
from tests.access import bearer, token_of
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import run_to_end, start, start_and_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("patient_broker")]
SAGAS = "/api/v1/sagas"
ECHO = {"kind": "echo", "inputs": {"message": "hello", "times": 2}}


@pytest.fixture
def operator() -> Client:
    return Client(headers=bearer(token_of("platform_admin", subject="operator-1")))


@pytest.fixture
def tenant() -> Client:
    return Client(headers=bearer(token_of("member", tenant="acme")))


def post(client: Client, address: str, body: Any = None, **headers: str) -> Any:
    return client.post(address, json.dumps(body or {}), content_type="application/json", headers=headers)


def a_saga(tenant: str | None = None, **fields: Any) -> SagaRun:
    """A row as the engine would leave it: an echo that waits in its second step."""
    deployment = Deployment.objects.get_or_create(tenant_id=tenant, slug="shop")[0] if tenant else None
    values: dict[str, Any] = {
        "kind": "echo",
        "status": "waiting",
        "step_modules": ["echo", "echo"],
        "inputs": {"message": "x"},
    }
    values |= {"requested_by": "a test", "tenant_id": tenant, "deployment": deployment}
    saga = SagaRun.objects.create(**{**values, **fields})
    now = timezone.now()
    for idx, status in enumerate(("completed", "waiting")):
        SagaStepResult.objects.create(
            saga=saga,
            step_idx=idx,
            name="echo",
            status=status,
            started_at=now,
            began_at=now,
            error={"type": "RetryableError", "message": "422 from the provider"},
        )
    return saga


def test_an_operator_starts_a_saga_and_reads_it_with_its_ledger(operator: Client) -> None:
    answer = post(operator, SAGAS, ECHO)

    assert answer.status_code == 201
    begun = answer.json()
    assert answer.headers["Location"] == f"{SAGAS}/{begun['id']}"
    assert (begun["status"], begun["requested_by"], begun["steps"]) == ("pending", "operator-1", [])
    run_to_end(SagaRun.objects.get())

    read = operator.get(answer.headers["Location"]).json()
    assert read["status"] == "completed"
    assert read["inputs"] == {"message": "hello", "times": 2, "then_fail": False}
    assert read["context"] == {"echoed_at_step_0": "hello", "echoed_at_step_1": "hello"}
    assert [(step["name"], step["status"]) for step in read["steps"]] == [("echo", "completed")] * 2
    assert read["steps"][1]["output"] == {"echoed_at_step_1": "hello"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "teleport"}, "kind"),
        ({"inputs": {}}, "kind"),
        ({"kind": "echo"}, "inputs.message"),
        ({"kind": "echo", "inputs": {"message": 5}}, "inputs.message"),
        ({"kind": "echo", "inputs": {"message": "x", "times": 101}}, "inputs.times"),
        ({"kind": "echo", "inputs": {"message": "x", "times": 1.5}}, "inputs.times"),
        ({"kind": "echo", "inputs": {"message": "x", "size": "huge"}}, "inputs.size"),
        ({"kind": "echo", "inputs": ["x"]}, "inputs"),
        ({"kind": "echo", "inputs": {"message": "x"}, "tenant_id": "acme"}, "tenant_id"),
    ],
)
def test_a_bad_input_is_named_and_starts_nothing(operator: Client, body: Any, field: str) -> None:
    answer = post(operator, SAGAS, body)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not SagaRun.objects.exists()


def test_a_taken_subject_is_refused_with_the_saga_that_has_it(operator: Client, scripts: Scripts) -> None:
    first = scripts("act", subjects=["droplet:7"])

    answer = post(operator, SAGAS, {"kind": "scripted", "inputs": first.inputs})

    assert answer.status_code == 409
    assert answer.json()["detail"] == f"saga {first.pk} is working on droplet:7"
    assert SagaRun.objects.count() == 1


def test_a_key_starts_one_saga_and_a_repeat_gets_the_first_answer(operator: Client) -> None:
    key = {"Idempotency-Key": "order-1"}
    first, second = post(operator, SAGAS, ECHO, **key), post(operator, SAGAS, ECHO, **key)
    other = post(operator, SAGAS, {"kind": "echo", "inputs": {"message": "bye"}}, **key)

    assert (first.status_code, second.content, other.status_code) == (201, first.content, 409)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert SagaRun.objects.count() == 1


def test_a_key_still_holds_when_its_first_answer_is_forgotten(operator: Client) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = post(operator, SAGAS, ECHO, **key).json()
    run_to_end(SagaRun.objects.get())
    assert delete_expired_responses(at=timezone.now() + timedelta(hours=25)) == 1

    again = post(operator, SAGAS, ECHO, **key).json()
    delete_expired_responses(at=timezone.now() + timedelta(hours=25))
    other = post(operator, SAGAS, {"kind": "echo", "inputs": {"message": "bye"}}, **key)

    assert (again["id"], again["status"]) == (first["id"], "completed")
    assert other.status_code == 409
    assert SagaRun.objects.count() == 1


def test_a_key_is_its_callers_own(operator: Client) -> None:
    colleague = Client(headers=bearer(token_of("platform_admin", subject="operator-2")))
    key = {"Idempotency-Key": "order-1"}

    ids = {post(client, SAGAS, ECHO, **key).json()["id"] for client in (operator, colleague)}

    assert len(ids) == 2


def test_a_waiting_saga_is_cancelled_and_a_late_cancel_is_refused(operator: Client, scripts: Scripts) -> None:
    saga = scripts("act", "act", do_1=["wait=3600"])
    run(saga.pk)

    answer = post(operator, f"{SAGAS}/{saga.pk}/cancel")
    repeated = post(operator, f"{SAGAS}/{saga.pk}/cancel")

    assert (answer.status_code, repeated.status_code) == (200, 200)
    assert (answer.json()["cancel_requested"], answer.json()["cancel_requested_by"]) == (True, "operator-1")
    assert run_to_end(saga).status == "rolled_back"
    late = post(operator, f"{SAGAS}/{saga.pk}/cancel")
    assert (late.status_code, late.json()["type"]) == (409, "urn:arcadia-cloud:problem:saga_state")


def test_a_live_saga_is_requeued_and_an_ended_one_is_not(operator: Client) -> None:
    live, ended = start(message="x"), start_and_run(message="x")

    assert post(operator, f"{SAGAS}/{live.pk}/requeue").status_code == 200
    assert post(operator, f"{SAGAS}/{ended.pk}/requeue").status_code == 409


def test_a_rolled_back_saga_is_retried_once_as_a_new_one(operator: Client) -> None:
    saga = start_and_run(message="x", then_fail=True)

    first, second = (post(operator, f"{SAGAS}/{saga.pk}/retry") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"] != saga.pk
    assert first.json()["retry_of"] == saga.pk
    assert first.headers["Location"] == f"{SAGAS}/{first.json()['id']}"
    assert SagaRun.objects.count() == 2


def test_a_dead_letter_goes_on(operator: Client) -> None:
    saga = start(message="x")
    SagaRun.objects.filter(pk=saga.pk).update(status="running")
    SagaRun.objects.filter(pk=saga.pk).update(
        status="failed", finished_at=timezone.now(), error={"reason": "recovered_too_often"}
    )

    answer = post(operator, f"{SAGAS}/{saga.pk}/retry")

    assert (answer.status_code, answer.json()["id"], answer.json()["error"]) == (200, saga.pk, None)
    assert run_to_end(saga).status == "completed"


@pytest.mark.parametrize("hand", ["cancel", "requeue", "retry"])
def test_an_action_on_no_saga_is_404_and_a_body_with_fields_is_400(operator: Client, hand: str) -> None:
    saga = start(message="x")

    assert post(operator, f"{SAGAS}/{2**40}/{hand}").status_code == 404
    refused = post(operator, f"{SAGAS}/{saga.pk}/{hand}", {"force": True})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["force"])
    saga.refresh_from_db()
    assert saga.status == "pending"


def test_a_tenant_sees_names_and_times_and_nothing_else(tenant: Client) -> None:
    saga = a_saga("acme", subjects=["droplet:7"], wait_reason="the provider is slow")

    listed = tenant.get(SAGAS).json()["results"]
    detail = tenant.get(f"{SAGAS}/{saga.pk}").json()

    whole = {"id", "kind", "status", "tenant_id", "deployment_id"}
    whole |= {"created_at", "start_at", "started_at", "finished_at"}
    assert [set(row) for row in listed] == [whole]
    assert set(detail) == {*whole, "steps"}
    assert [set(step) for step in detail["steps"]] == [
        {"step_idx", "name", "status", "started_at", "finished_at"}
    ] * 2


def test_a_tenant_sees_its_own_sagas_alone_and_changes_none(tenant: Client, operator: Client) -> None:
    own, foreign, nobodys = a_saga("acme"), a_saga("globex"), a_saga()

    assert [row["id"] for row in tenant.get(SAGAS).json()["results"]] == [own.pk]
    missing = [tenant.get(f"{SAGAS}/{pk}").status_code for pk in (foreign.pk, nobodys.pk, 2**40)]
    assert missing == [404, 404, 404]
    addresses = [SAGAS, *(f"{SAGAS}/{own.pk}/{hand}" for hand in ("cancel", "requeue", "retry"))]
    assert {post(tenant, address, ECHO).status_code for address in addresses} == {403}
    assert tenant.get(f"{SAGAS}/kinds").status_code == 403
    assert len(operator.get(SAGAS).json()["results"]) == 3
    assert SagaRun.objects.filter(cancel_requested=True).count() == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=waiting", {"acme", "none"}),
        ("kind=resize", {"globex"}),
        ("subject=droplet:7", {"acme"}),
        ("subject=droplet", set()),
        ("tenant=globex", {"globex"}),
        ("status=waiting&tenant=globex", set()),
    ],
)
def test_operators_filter_the_list(operator: Client, query: str, found: set[str]) -> None:
    sagas = {
        "acme": a_saga("acme", subjects=["droplet:7", "deployment:1"]),
        "globex": a_saga("globex", kind="resize", status="completed", finished_at=timezone.now()),
        "none": a_saga(subjects=["droplet:8"]),
    }
    ids = {row["id"] for row in operator.get(SAGAS, QUERY_STRING=query).json()["results"]}
    assert ids == {sagas[name].pk for name in found}
    deployment = str(sagas["acme"].deployment_id)
    of_deployment = operator.get(SAGAS, {"deployment": deployment}).json()["results"]
    assert [row["id"] for row in of_deployment] == [sagas["acme"].pk]


@pytest.mark.parametrize(
    ("query", "name"), [("status=stuck", "status"), ("deployment=x", "deployment"), ("state=failed", "state")]
)
def test_a_filter_that_makes_no_sense_is_named(operator: Client, query: str, name: str) -> None:
    answer = operator.get(SAGAS, QUERY_STRING=query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


@pytest.mark.parametrize("parameter", ["tenant", "subject"])
def test_what_only_operators_filter_by_does_not_exist_for_a_tenant(tenant: Client, parameter: str) -> None:
    answer = tenant.get(SAGAS, {parameter: "acme"})
    assert answer.json()["errors"] == {parameter: ["There is no such query parameter."]}


def test_the_list_is_paged_by_key(operator: Client) -> None:
    ids = [a_saga().pk for _ in range(5)]
    seen: list[int] = []
    address: str | None = f"{SAGAS}?limit=2"
    while address:
        page = operator.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert seen == ids[::-1]


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_is_one_query_and_a_saga_two(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    saga, *_others = [a_saga("acme") for _ in range(count)]
    operator.get(SAGAS)

    with django_assert_num_queries(1):
        assert len(operator.get(SAGAS).json()["results"]) == count
    with django_assert_num_queries(2):
        operator.get(f"{SAGAS}/{saga.pk}")


def test_kinds_have_the_schema_of_their_inputs(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        kinds = {row["kind"]: row for row in operator.get(f"{SAGAS}/kinds").json()["results"]}

    echo = kinds["echo"]
    assert (echo["title"], echo["deadline_seconds"]) == ("Echo a message", 3600)
    inputs = echo["inputs"]["$defs"]["EchoInputs"]
    assert inputs["required"] == ["message"]
    assert inputs["properties"]["times"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 3}


def test_every_status_can_be_filtered_by(operator: Client) -> None:
    for status in SagaStatus.values:
        assert operator.get(SAGAS, {"status": status}).status_code == 200
