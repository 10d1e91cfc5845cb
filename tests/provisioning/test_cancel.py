"""Cancelling: in every state, and at every moment of a step."""

import pytest

from arcadia_cloud.kernel.errors import NotFound
from provisioning.engine.runner import run
from provisioning.errors import WrongState
from provisioning.models import SagaRun, SagaSubject
from provisioning.services import cancel_saga
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end, start_and_run

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(saga: SagaRun) -> SagaRun:
    return cancel_saga(saga_id=saga.pk, actor="jo")


def test_one_that_has_not_begun_is_rolled_back_at_once_and_never_run(scripts: Scripts) -> None:
    saga = cancel(scripts("act", subjects=["droplet:1"]))
    assert (saga.status, saga.error) == ("rolled_back", {"reason": "cancelled", "compensate_from_idx": None})
    assert (saga.cancel_requested_by, saga.finished_at is not None) == ("jo", True)
    assert not SagaSubject.objects.exists()
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    assert scripts.calls(saga) == []


def test_one_that_waits_is_compensated_with_the_step_that_was_waiting(scripts: Scripts) -> None:
    saga = scripts("act", "act", "act", do_1=["wait=3600"])
    run(saga.pk)
    assert cancel(saga).status == "waiting"
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK, "the wait is cut short"
    saga.refresh_from_db()
    assert saga.error == {"reason": "cancelled", "compensate_from_idx": 1}
    assert scripts.calls(saga) == ["do:0", "do:1", "undo:1", "undo:0"]
    assert ledger(saga) == [("act", "compensated"), ("act", "compensated")]


def test_a_waiting_step_without_a_compensation_fails_when_its_saga_is_cancelled(
    scripts: Scripts,
) -> None:
    saga = scripts("act", "act without undo", do_1=["wait=3600"])
    run(saga.pk)
    cancel(saga)
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert ledger(saga) == [("act", "compensated"), ("act without undo", "failed")]
    error = saga.steps.get(step_idx=1).error
    assert error == {"type": "Cancelled", "message": "cancelled before it was done"}


def test_one_between_two_tries_is_compensated_with_the_step_that_erred(scripts: Scripts) -> None:
    saga = scripts("retried", do_0=["retry=3600"])
    run(saga.pk)
    cancel(saga)
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert scripts.calls(saga) == ["do:0", "undo:0"]


def test_while_a_step_runs_it_is_finished_and_the_next_is_not_begun(scripts: Scripts) -> None:
    saga = scripts("act", "act", "act", do_1=["cancel"])
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    saga.refresh_from_db()
    assert scripts.calls(saga) == ["do:0", "do:1", "undo:1", "undo:0"]
    assert saga.error == {"reason": "cancelled", "compensate_from_idx": 1}
    assert ledger(saga) == [("act", "compensated"), ("act", "compensated")]


def test_while_a_step_runs_that_then_waits_it_is_compensated_at_once(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_1=["cancel=wait"])
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert scripts.calls(saga) == ["do:0", "do:1", "undo:1", "undo:0"]


def test_while_the_last_step_runs_it_comes_too_late(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["cancel"])
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    with pytest.raises(WrongState, match=r"is completed: it can't be cancelled any more"):
        cancel(saga)


def test_a_step_that_fails_while_its_saga_is_cancelled_has_failed(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "act", do_0=["cancel"], do_1=["fail"]))
    assert saga.error == {"reason": "cancelled", "compensate_from_idx": 0}


def test_cancelling_twice_is_cancelling_once(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["wait=3600"])
    run(saga.pk)
    first = cancel(saga)
    second = cancel_saga(saga_id=saga.pk, actor="another")
    assert (second.cancel_requested_at, second.cancel_requested_by) == (first.cancel_requested_at, "jo")
    run(saga.pk)
    with pytest.raises(WrongState, match="is rolled back"):
        cancel(saga)


def test_one_that_is_compensated_already_is_refused(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_1=["fail"], undo_0=["wait=3600"])
    run(saga.pk)
    with pytest.raises(WrongState, match="is being rolled back already"):
        cancel(saga)
    saga.refresh_from_db()
    assert (saga.cancel_requested, saga.error["reason"] if saga.error else None) == (False, "step_failed:act")


def test_completed_and_unknown_ones_are_refused() -> None:
    saga = start_and_run(message="hello")
    with pytest.raises(WrongState, match="is completed"):
        cancel(saga)
    with pytest.raises(NotFound, match="there is no saga 999999"):
        cancel_saga(saga_id=999999, actor="jo")
