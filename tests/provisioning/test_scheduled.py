"""Scheduled sagas: they wait and hold nothing, are checked again when they begin, and may be too late."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.models import Alert
from provisioning import scheduled_start
from provisioning.engine.runner import run, run_due
from provisioning.errors import KeyReused, Protected, SubjectBusy, WrongState
from provisioning.models import SagaRun, SagaSubject
from provisioning.services import begin_saga, cancel_saga, pause, protect, start_saga, sweep, unpause
from provisioning.states import AdvanceOutcome
from tests.access import bearer, token_of
from tests.kernel.threads import at_once
from tests.provisioning.offers import offer
from tests.provisioning.sagas import droplet_row, run_to_end, start
from tests.provisioning.test_command import saga_command

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("patient_broker")]
HOUR = timedelta(hours=1)
SAGAS = "/api/v1/sagas"


def scheduled(
    kind: str = "echo", /, *, in_: timedelta = HOUR, until: timedelta | None = None, **inputs: Any
) -> SagaRun:
    """A saga that is to begin after so long, and by then at the latest."""
    now = timezone.now()
    return start_saga(
        kind=kind,
        inputs=inputs or {"message": "hello"},
        actor="a test",
        start_at=now + in_,
        not_after=None if until is None else now + until,
    )


def let_pass(saga: SagaRun, by: timedelta = 2 * HOUR) -> None:
    """Move the saga's times so far into the past."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET created_at = created_at - %(by)s, start_at = start_at - %(by)s,"
            " not_after = not_after - %(by)s, wake_at = wake_at - %(by)s WHERE id = %(id)s",
            {"by": by, "id": saga.pk},  # type: ignore[dict-item] # psycopg adapts it
        )


def test_it_waits_for_its_time_and_then_runs() -> None:
    saga = scheduled()
    assert (run(saga.pk), run_due(seconds=5)) == (AdvanceOutcome.NOT_DUE, 0)
    assert sweep()["nudged"] == 0
    saga.refresh_from_db()
    assert (saga.status, saga.is_scheduled, saga.begun_at) == ("pending", True, None)
    let_pass(saga)
    assert sweep()["nudged"] == 1
    assert run_to_end(saga).status == "completed"
    assert saga.begun_at is not None


def test_one_that_is_not_begun_never_holds_up_another() -> None:
    waiting = scheduled()
    let_pass(waiting)
    other = start(message="hello")
    assert run_due(seconds=5) == 1
    other.refresh_from_db()
    assert other.status == "completed"


def test_a_time_that_has_passed_is_at_once() -> None:
    saga = scheduled(in_=-HOUR)
    assert not saga.is_scheduled
    assert run_due(seconds=5) == 1


def test_the_new_row_is_as_the_database_has_it() -> None:
    saga = scheduled(until=2 * HOUR)
    stored = SagaRun.objects.get(pk=saga.pk)
    names = [field.attname for field in SagaRun._meta.concrete_fields]
    assert {name: getattr(saga, name) for name in names} == {name: getattr(stored, name) for name in names}


def test_it_holds_its_subjects_only_from_its_beginning_on() -> None:
    droplet_row()
    saga = scheduled("power_off_droplet", droplet_id=1)
    assert not SagaSubject.objects.exists()
    other = start("power_off_droplet", droplet_id=1)
    let_pass(saga)
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    saga.refresh_from_db()
    assert (saga.status, saga.wait_reason) == ("pending", f"saga {other.pk} is working on droplet:1")
    assert saga.wake_at is not None
    assert saga.wake_at > timezone.now(), "it looks again later"
    cancel_saga(saga_id=other.pk, actor="a test")
    begin_saga(saga_id=saga.pk)
    assert list(SagaSubject.objects.values_list("subject", "saga_id")) == [("droplet:1", saga.pk)]


def test_two_that_begin_at_once_on_one_subject_are_one() -> None:
    droplet_row()
    for _ in range(5):
        both = [scheduled("power_off_droplet", droplet_id=1) for _ in range(2)]

        def begin(pks: list[int]) -> str:
            try:
                begin_saga(saga_id=pks.pop())
            except SubjectBusy as busy:
                return busy.code
            return "begun"

        pks = [saga.pk for saga in both]
        assert sorted(at_once(2, lambda pks=pks: begin(pks))) == ["begun", "saga_subject_busy"]  # type: ignore[misc]
        for saga in both:
            cancel_saga(saga_id=saga.pk, actor="a test")


def test_it_is_checked_again_when_it_begins() -> None:
    row = droplet_row()
    saga = scheduled("power_off_droplet", droplet_id=1)
    protect(resource_pk=row.pk, actor="jo")
    with pytest.raises(Protected):
        begin_saga(saga_id=saga.pk)
    saga.refresh_from_db()
    assert saga.is_scheduled, "an operator's begin that is refused changes nothing"
    let_pass(saga)
    run(saga.pk)
    saga.refresh_from_db()
    assert (saga.status, saga.steps.count()) == ("rolled_back", 0)
    assert saga.error == {
        "reason": "refused",
        "message": "droplet 1 is protected: take its mark or its tag away first",
        "compensate_from_idx": None,
    }
    assert not SagaSubject.objects.exists()


def test_its_owner_is_the_one_that_its_droplet_has_when_it_begins() -> None:
    row = droplet_row()
    saga = scheduled("power_off_droplet", droplet_id=1)
    type(row).objects.filter(pk=row.pk).update(tenant_id="acme")
    begin_saga(saga_id=saga.pk)
    saga.refresh_from_db()
    assert saga.tenant_id == "acme"


@pytest.mark.parametrize("paused", [False, True])
def test_one_that_could_not_begin_in_time_ends_with_nothing_done(paused: bool) -> None:
    saga = scheduled(until=HOUR + HOUR)
    if paused:
        pause(actor="jo")
    let_pass(saga, by=3 * HOUR)
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    sweep()
    saga.refresh_from_db()
    assert (saga.status, saga.steps.count()) == ("rolled_back", 0)
    assert saga.error == {"reason": "too_late", "compensate_from_idx": None}
    assert saga.finished_at is not None


def test_so_does_one_that_was_to_begin_at_once_and_frees_what_it_holds() -> None:
    droplet_row()
    pause(actor="jo")
    saga = start_saga(
        kind="power_off_droplet",
        inputs={"droplet_id": 1},
        actor="a test",
        not_after=timezone.now() + timedelta(seconds=0.2),
    )
    assert SagaSubject.objects.count() == 1
    time.sleep(0.25)
    unpause(actor="jo")
    assert (run(saga.pk), run_due(seconds=5)) == (AdvanceOutcome.NOT_DUE, 0)
    sweep()
    saga.refresh_from_db()
    assert (saga.status, saga.error and saga.error["reason"]) == ("rolled_back", "too_late")
    assert not SagaSubject.objects.exists()


def test_one_that_began_in_time_may_end_later() -> None:
    saga = scheduled(until=2 * HOUR)
    begin_saga(saga_id=saga.pk)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    let_pass(saga, by=3 * HOUR)
    sweep()
    saga.refresh_from_db()
    assert saga.status == "completed"


def test_while_all_is_paused_it_does_not_begin() -> None:
    saga = scheduled()
    let_pass(saga)
    pause(actor="jo")
    run(saga.pk)
    saga.refresh_from_db()
    assert saga.is_scheduled
    unpause(actor="jo")
    assert run(saga.pk) == AdvanceOutcome.COMPLETED


def test_it_is_cancelled_before_its_time_and_can_not_begin_then() -> None:
    saga = scheduled()
    cancelled = cancel_saga(saga_id=saga.pk, actor="jo")
    assert (cancelled.status, cancelled.wake_at) == ("rolled_back", None)
    with pytest.raises(WrongState, match="is rolled back: it waits for no start"):
        begin_saga(saga_id=saga.pk)


def test_an_end_before_the_start_is_refused_and_a_key_is_of_one_time() -> None:
    with pytest.raises(InvalidInput) as refused:
        scheduled(until=HOUR / 2)
    assert refused.value.errors == {"not_after": ["must be later than start_at"]}
    at = datetime(2099, 1, 1, tzinfo=UTC)
    order: dict[str, Any] = {
        "kind": "echo",
        "inputs": {"message": "a"},
        "actor": "a test",
        "idempotency_key": "k",
    }
    first = start_saga(**order, start_at=at)
    assert start_saga(**order, start_at=at).pk == first.pk
    with pytest.raises(KeyReused):
        start_saga(**order)


def test_its_deadline_is_counted_from_its_beginning() -> None:
    saga = scheduled(in_=timedelta(days=2))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE saga_runs SET created_at = created_at - interval '30 days'")
    assert sweep()["alerted"] == 0
    begin_saga(saga_id=saga.pk)
    assert sweep()["alerted"] == 0
    SagaRun.objects.filter(pk=saga.pk).update(begun_at=timezone.now() - 2 * HOUR)
    assert sweep()["alerted"] == 1
    assert Alert.objects.get(code="saga_overdue").subject == f"saga:{saga.pk}"


def test_the_api_schedules_begins_and_shows_it() -> None:
    operator = Client(headers=bearer(token_of("platform_admin", subject="operator-1")))

    def post(address: str, body: Any) -> Any:
        return operator.post(address, json.dumps(body), content_type="application/json")

    echo = {"kind": "echo", "inputs": {"message": "hello"}}
    answer = post(SAGAS, {**echo, "start_at": "2099-01-01T02:00:00Z", "not_after": "2099-01-01T04:00:00Z"})
    assert answer.status_code == 201
    saga = answer.json()
    assert (saga["status"], saga["begun_at"]) == ("pending", None)
    assert (saga["start_at"], saga["not_after"]) == ("2099-01-01T02:00:00Z", "2099-01-01T04:00:00Z")
    begun = post(f"{SAGAS}/{saga['id']}/begin", {})
    assert (begun.status_code, begun.json()["begun_at"] is not None) == (200, True)
    again = post(f"{SAGAS}/{saga['id']}/begin", {})
    assert (again.status_code, again.json()["detail"]) == (
        409,
        f"saga {saga['id']} is pending: it waits for no start",
    )
    bad = post(SAGAS, {**echo, "start_at": "tomorrow"})
    assert (bad.status_code, list(bad.json()["errors"])) == (400, ["start_at"])


def test_the_command_schedules_and_begins() -> None:
    options = (
        "--inputs",
        '{"message": "hello"}',
        "--at",
        "2099-01-01 02:00",
        "--not-after",
        "2099-01-01 04:00",
    )
    text = saga_command("start", "echo", *options)
    saga = SagaRun.objects.get()
    assert text == f"Saga {saga.pk} (echo) is pending, and begins at 2099-01-01 02:00:00 UTC.\n"
    assert saga.start_at == datetime(2099, 1, 1, 2, tzinfo=UTC)
    assert saga_command("begin", str(saga.pk)) == f"Saga {saga.pk} (echo) is pending.\n"
    with pytest.raises(CommandError, match="exclude each other"):
        saga_command("start", "echo", "--here", *options)


def test_a_size_that_is_no_longer_sold_when_it_begins_is_refused() -> None:
    droplet_row()
    offer()
    saga = scheduled("resize_droplet", droplet_id=1, size="s-2vcpu-4gb")
    offer(sizes={})
    let_pass(saga)
    run(saga.pk)
    saga.refresh_from_db()
    assert saga.error is not None
    assert saga.error["message"].startswith("DigitalOcean doesn't sell the size s-2vcpu-4gb")


def test_a_refusal_leaves_alone_what_was_begun_by_hand_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    droplet = droplet_row()
    saga = scheduled("power_off_droplet", droplet_id=int(droplet.provider_id))
    let_pass(saga)

    def begin_and_protect(**_kind: str) -> None:
        begin_saga(saga_id=saga.pk)
        protect(resource_pk=droplet.pk, actor="jo")

    # Between the worker's look at the saga and its checks.
    monkeypatch.setattr(scheduled_start, "refresh_offer", begin_and_protect)
    assert not scheduled_start.begin_if_due(saga.pk)
    saga.refresh_from_db()
    assert (saga.status, saga.begun_at is not None) == ("pending", True)
    assert SagaSubject.objects.filter(saga=saga).exists()
