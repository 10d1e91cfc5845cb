"""Backward: what is undone, in which order, and what happens when an undo goes wrong."""

import pytest

from arcadia_cloud.kernel.models import Alert
from provisioning.engine.runner import run
from provisioning.models import SagaSubject
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end

pytestmark = pytest.mark.django_db(transaction=True)


def test_steps_are_compensated_last_first_and_those_without_a_compensation_stay(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "act without undo", "act", "act", do_3=["fail"]))
    assert scripts.calls(saga) == ["do:0", "do:1", "do:2", "do:3", "undo:2", "undo:0"]
    assert saga.error == {"reason": "step_failed:act", "compensate_from_idx": 2}
    assert ledger(saga) == [
        ("act", "compensated"),
        ("act without undo", "completed"),
        ("act", "compensated"),
        ("act", "failed"),
    ]
    assert saga.context["calls of undo:0"] == 1, "an undo may put, too"


@pytest.mark.parametrize("steps", [("act",), ("act without undo", "act")])
def test_where_nothing_is_to_be_compensated_it_ends_at_once(scripts: Scripts, steps: tuple[str, ...]) -> None:
    last = len(steps) - 1
    saga = scripts.of(steps, {f"do_{last}": ["fail"]}, subjects=["droplet:1"])
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    saga.refresh_from_db()
    assert saga.error == {"reason": "step_failed:act", "compensate_from_idx": None}
    assert not SagaSubject.objects.exists()


def test_a_step_that_fails_halfway_is_compensated_too(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "halfway", do_1=["fail"]))
    assert scripts.calls(saga) == ["do:0", "do:1", "undo:1", "undo:0"]
    assert saga.error == {"reason": "step_failed:halfway", "compensate_from_idx": 1}
    assert ledger(saga) == [("act", "compensated"), ("halfway", "compensated")]
    assert saga.steps.get(step_idx=1).error == {"type": "FinalError", "message": "the script says so"}


def test_a_failing_compensation_is_recorded_and_alerted_and_the_rest_is_compensated(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "act", "halfway", do_2=["fail"], undo_2=["bug"], undo_1=["fail"]))
    assert scripts.calls(saga)[-3:] == ["undo:2", "undo:1", "undo:0"]
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 2)
    assert ledger(saga) == [
        ("act", "compensated"),
        ("act", "compensation_failed"),
        ("halfway", "compensation_failed"),
    ]
    undo_errors = [step.error for step in saga.steps.filter(step_idx__gt=0).order_by("step_idx")]
    assert undo_errors == [
        {"compensation": {"type": "FinalError", "message": "the script says so"}},
        {
            "type": "FinalError",
            "message": "the script says so",
            "compensation": {"type": "ZeroDivisionError", "message": "a�bug"},
        },
    ]
    alert = Alert.objects.get()
    assert (alert.code, alert.subject, alert.severity) == (
        "saga_compensation_failed",
        f"saga:{saga.pk}",
        "critical",
    )
    assert alert.times_raised == 2


def test_a_compensation_may_wait_and_be_retried(scripts: Scripts) -> None:
    saga = scripts("retried", "act", do_1=["fail"], undo_0=["wait=0.01", "retry", "wait=0.01", "retry"])
    assert run(saga.pk) == AdvanceOutcome.WAITING
    saga.refresh_from_db()
    assert (saga.status, saga.direction, saga.wait_reason) == (
        "compensating",
        "backward",
        "the script says so",
    )
    assert saga.wake_at is not None
    run_to_end(saga)
    assert scripts.calls(saga) == ["do:0", "do:1"] + ["undo:0"] * 5
    step = saga.steps.get(step_idx=0)
    assert (step.status, step.attempts, step.compensation_attempts) == ("compensated", 1, 3)
    assert (step.error, saga.compensation_failures) == (None, 0)


def test_the_retries_of_a_compensation_are_counted_apart_from_those_of_the_step(scripts: Scripts) -> None:
    saga = scripts("retried", "act", do_0=["retry", "retry"], do_1=["fail"], undo_0=["retry"] * 5)
    run_to_end(saga)
    assert scripts.calls(saga).count("undo:0") == 3
    assert ledger(saga)[0] == ("retried", "compensation_failed")


def test_a_compensation_may_have_more_retries_than_its_step(scripts: Scripts) -> None:
    saga = run_to_end(scripts("patiently compensated", "act", do_1=["fail"], undo_0=["retry"] * 5))
    assert (ledger(saga)[0], saga.compensation_failures) == (("patiently compensated", "compensated"), 0)
    saga = run_to_end(scripts("patiently compensated", "act", do_1=["fail"], undo_0=["retry"] * 6))
    assert ledger(saga)[0] == ("patiently compensated", "compensation_failed")
    saga = run_to_end(scripts("patiently compensated", do_0=["retry"] * 3))
    assert ledger(saga) == [("patiently compensated", "failed")]


def test_a_compensation_has_the_deadline_of_its_step(scripts: Scripts) -> None:
    saga = run_to_end(scripts("timed", "act", do_1=["fail"], undo_0=["wait=0.1"] * 1000))
    step = saga.steps.get(step_idx=0)
    assert step.status == "compensation_failed"
    assert step.error is not None
    assert step.error["compensation"]["type"] == "OutOfTime"
