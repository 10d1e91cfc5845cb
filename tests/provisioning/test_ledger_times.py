"""The times in a saga's ledger never run backwards: an end and the next beginning are one instant."""

import pytest

from provisioning.models import SagaRun
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import run_to_end, start_and_run

pytestmark = pytest.mark.django_db(transaction=True)


def assert_in_order(saga: SagaRun) -> None:
    steps = list(saga.steps.order_by("step_idx"))
    assert saga.started_at is not None
    assert saga.created_at <= saga.started_at <= steps[0].started_at
    for step in steps:
        assert step.finished_at is not None
        assert step.started_at <= step.finished_at


def test_a_step_begins_when_the_one_before_ends() -> None:
    saga = start_and_run(message="hello", times=20)
    assert_in_order(saga)
    steps = list(saga.steps.order_by("step_idx"))
    assert [step.started_at for step in steps[1:]] == [step.finished_at for step in steps[:-1]]
    assert saga.finished_at == steps[-1].finished_at


def test_a_compensation_begins_when_the_failure_or_the_one_after_it_ends(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "act", "act", "act", do_3=["fail"]))
    assert_in_order(saga)
    steps = list(saga.steps.order_by("step_idx"))
    assert steps[2].compensation_started_at == steps[3].finished_at
    assert steps[1].compensation_started_at == steps[2].compensation_finished_at
    assert steps[0].compensation_started_at == steps[1].compensation_finished_at
    assert saga.finished_at == steps[0].compensation_finished_at


def test_a_step_that_is_compensated_after_its_own_failure_ends_when_that_begins(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", "halfway", do_1=["wait=0.01", "fail"]))
    step = saga.steps.get(step_idx=1)
    assert step.compensation_started_at == step.finished_at
