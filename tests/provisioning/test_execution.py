"""Forward: waits, retries, deadlines, and what the ledger and the context keep of them."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run

pytestmark = pytest.mark.django_db(transaction=True)


def make_due(saga: SagaRun) -> None:
    """Its pause is over."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE saga_runs SET wake_at = clock_timestamp() WHERE id = %s", [saga.pk])


def test_a_wait_frees_the_worker_and_keeps_what_was_put(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_1=["wait=3600"])
    assert run(saga.pk) == AdvanceOutcome.WAITING
    saga.refresh_from_db()
    assert (saga.status, saga.current_step_idx, saga.lease_token) == ("waiting", 1, None)
    assert saga.wait_reason == "the script says so"
    assert saga.wake_at is not None
    assert saga.started_at is not None
    assert timedelta(minutes=59) < saga.wake_at - saga.started_at < timedelta(minutes=61)
    assert saga.context == {"calls of do:0": 1, "calls of do:1": 1}
    assert ledger(saga) == [("act", "completed"), ("act", "waiting")]
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    assert scripts.calls(saga) == ["do:0", "do:1"]
    make_due(saga)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    saga.refresh_from_db()
    assert saga.context == {"calls of do:0": 1, "calls of do:1": 2}


def test_a_wait_is_no_attempt_and_an_error_is(scripts: Scripts) -> None:
    saga = scripts("retried", do_0=["wait=0", "wait=0", "retry", "wait=0"])
    run_to_end(saga)
    step = saga.steps.get()
    assert scripts.calls(saga) == ["do:0"] * 5
    assert (step.status, step.attempts, step.failures, step.error) == ("completed", 2, 1, None)
    assert step.last_began_at is not None
    assert step.started_at < step.last_began_at < step.began_at


def test_a_retryable_error_is_recorded_while_the_step_waits_for_its_next_try(scripts: Scripts) -> None:
    saga = scripts("retried", do_0=["retry=3600"])
    assert run(saga.pk) == AdvanceOutcome.WAITING
    saga.refresh_from_db()
    assert saga.wait_reason == "RetryableError: not yet"
    assert saga.context == {"calls of do:0": 1}
    step = saga.steps.get()
    assert (step.status, step.error) == ("running", {"type": "RetryableError", "message": "not yet"})
    assert saga.wake_at is not None
    assert saga.wake_at - step.began_at > timedelta(minutes=59), "the other side asked for an hour"


def test_pauses_between_tries_double_up_to_a_minute(scripts: Scripts) -> None:
    saga = scripts("patient", do_0=["retry"] * 5)
    pauses = []
    for _ in range(5):
        make_due(saga)
        assert run(saga.pk) == AdvanceOutcome.WAITING
        saga.refresh_from_db()
        assert saga.wake_at is not None
        pauses.append(int((saga.wake_at - saga.steps.get().began_at).total_seconds()))
    assert pauses == [8, 16, 33, 60, 60]
    make_due(saga)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED


def test_when_the_retries_are_used_up_the_step_has_failed(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "retried", do_1=["retry"] * 5))
    assert saga.error == {"reason": "step_failed:retried", "compensate_from_idx": 0}
    assert scripts.calls(saga) == ["do:0", "do:1", "do:1", "do:1", "undo:0"], (
        "two retries, no undo of its own"
    )
    assert saga.steps.get(step_idx=1).error == {"type": "RetryableError", "message": "not yet"}


def test_a_step_without_retries_fails_at_its_first_retryable_error(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", do_0=["retry"]))
    assert (saga.status, scripts.calls(saga)) == ("rolled_back", ["do:0"])


@pytest.mark.parametrize("word", ["wait=0.1", "retry"])
def test_past_its_deadline_a_step_fails_and_is_compensated_since_it_may_have_worked(
    scripts: Scripts, word: str
) -> None:
    saga = run_to_end(scripts("act", "timed", do_1=[word] * 1000))
    assert saga.error == {"reason": "step_failed:timed", "compensate_from_idx": 1}
    assert scripts.calls(saga)[-2:] == ["undo:1", "undo:0"]
    step = saga.steps.get(step_idx=1)
    assert step.status == "compensated"
    assert step.error is not None
    assert step.error["type"] == "OutOfTime"
    assert step.error["message"].startswith("not done within 0.4 s: ")
    assert step.finished_at is not None
    assert step.finished_at - step.started_at >= timedelta(seconds=0.4)


def test_a_step_is_called_once_more_at_its_deadline(scripts: Scripts) -> None:
    """However long it asked to wait; what has come true by then is not thrown away."""
    saga = run_to_end(scripts("timed", do_0=["wait=3600"]))
    assert saga.status == "completed"
    assert saga.finished_at is not None
    assert saga.finished_at - saga.created_at < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("fail", {"type": "FinalError", "message": "the script says so"}),
        ("bug", {"type": "ZeroDivisionError", "message": "a�bug"}),
        ("answer", {"type": "TypeError", "message": "returned int, not None or Wait"}),
        ("put=set", {"type": "TypeError", "message": "Object of type set is not JSON serializable"}),
        ("put=nul", {"type": "ValueError", "message": "a NUL character can't be stored"}),
    ],
)
def test_whatever_a_step_raises_is_in_the_ledger_and_the_saga_is_compensated(
    scripts: Scripts, word: str, error: dict[str, str]
) -> None:
    saga = run_to_end(scripts("act", "act", do_1=[word]))
    assert (saga.status, saga.error) == (
        "rolled_back",
        {"reason": "step_failed:act", "compensate_from_idx": 0},
    )
    assert saga.steps.get(step_idx=1).error == error
    assert ledger(saga) == [("act", "compensated"), ("act", "failed")]


def test_a_saga_costs_a_statement_to_start_and_one_more_than_it_has_steps() -> None:
    with CaptureQueriesContext(connection) as started_with:
        saga = start(message="hello")
    with CaptureQueriesContext(connection) as walked_with:
        assert run(saga.pk) == AdvanceOutcome.COMPLETED
    assert (len(started_with), len(walked_with)) == (1, 4)


def test_a_saga_is_not_advanced_inside_a_transaction() -> None:
    saga = start(message="hello")
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        run(saga.pk)
    saga.refresh_from_db()
    assert saga.status == "pending"


def test_an_ended_saga_is_left_alone() -> None:
    saga = start_and_run(message="hello")
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    assert run(saga.pk + 1000) == AdvanceOutcome.NOT_DUE
