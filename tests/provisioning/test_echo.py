"""The two reference cases, run here and by a real worker."""

from typing import Any

import pytest

from provisioning.models import SagaRun, SagaSubject
from tests.processes import Workers
from tests.provisioning.sagas import ledger, start, start_and_run, wait_until_ended

pytestmark = pytest.mark.django_db(transaction=True)

HELLO: dict[str, Any] = {"message": "hello"}
FAILING: dict[str, Any] = {"message": "hello", "times": 2, "then_fail": True}


def assert_echoed(saga: SagaRun) -> None:
    assert saga.status == "completed"
    assert saga.context == {
        "echoed_at_step_0": "hello",
        "echoed_at_step_1": "hello",
        "echoed_at_step_2": "hello",
    }
    assert saga.error is None
    assert ledger(saga) == [("echo", "completed"), ("echo", "completed"), ("echo", "completed")]


def assert_rolled_back(saga: SagaRun) -> None:
    assert saga.status == "rolled_back"
    assert saga.error == {"compensate_from_idx": 1, "reason": "step_failed:fail"}
    assert ledger(saga) == [("echo", "compensated"), ("echo", "compensated"), ("fail", "failed")]


def test_three_echoes_complete() -> None:
    saga = start_and_run(**HELLO)
    assert_echoed(saga)
    assert (saga.current_step_idx, saga.lease_token, saga.recoveries) == (3, None, 0)
    assert saga.started_at is not None
    assert saga.finished_at is not None
    assert saga.created_at <= saga.started_at <= saga.finished_at
    assert [step.output for step in saga.steps.order_by("step_idx")] == [
        {f"echoed_at_step_{idx}": "hello"} for idx in range(3)
    ]


def test_a_failing_step_rolls_two_echoes_back() -> None:
    saga = start_and_run(**FAILING)
    assert_rolled_back(saga)
    failed = saga.steps.get(step_idx=2)
    assert failed.error == {"type": "FinalError", "message": "this step always fails"}
    assert (failed.attempts, failed.compensation_attempts) == (1, 0)
    assert [step.compensation_attempts for step in saga.steps.filter(step_idx__lt=2)] == [1, 1]
    assert saga.compensation_failures == 0
    assert not SagaSubject.objects.exists()


@pytest.mark.processes
def test_a_worker_does_the_same(worker: Workers) -> None:
    worker("provisioning")
    echoing, failing = start(**HELLO), start(**FAILING)
    assert_echoed(wait_until_ended(echoing))
    assert_rolled_back(wait_until_ended(failing))
