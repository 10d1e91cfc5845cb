"""Workers with much to wait for, and workers that get SIGTERM."""

import signal
import time
from collections.abc import Callable, Sequence

import psutil
import pytest
from django.db import connection

from arcadia_cloud.embedded.child_processes import ChildProcess
from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning.models import SagaRun
from tests.processes import Workers, hanging, wait_for
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import start, sweeping_often, wait_until_ended
from tests.provisioning.test_fencing import SCRIPTED, wait_for_calls

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
SHORT = {"ARCADIA_SAGA_LEASE_SECONDS": "1"}


def seconds_of_an_echo() -> float:
    """From the start of a new saga to its end."""
    began = time.monotonic()
    assert wait_until_ended(start(message="hello")).status == "completed"
    return time.monotonic() - began


def test_ten_thousand_waiting_sagas_hold_up_no_new_one(
    scripts: Scripts, worker: Workers, patient_broker: None, figures: Callable[[str], None]
) -> None:
    worker("provisioning", options=SCRIPTED)
    before = [seconds_of_an_echo() for _ in range(5)]
    waiting = [scripts("act", do_0=["wait=3600"]) for _ in range(100)]
    wait_for_calls(scripts, waiting[-1], 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO saga_runs (kind, status, direction, step_modules, inputs, context, current_step_idx,"
            " cancel_requested, cancel_requested_by, compensation_failures, recoveries, subjects,"
            " requested_by, lease_holder, wait_reason, wake_at)"
            " SELECT kind, 'waiting', direction, step_modules, inputs, context, current_step_idx,"
            " cancel_requested, cancel_requested_by, compensation_failures, recoveries, subjects,"
            " requested_by, lease_holder, wait_reason, clock_timestamp() + interval '1 hour'"
            " FROM saga_runs, generate_series(1, 9900) WHERE id = %s",
            [waiting[0].pk],
        )
    assert SagaRun.objects.filter(status="waiting").count() == 10_000
    with sweeping_often():
        meanwhile = [seconds_of_an_echo() for _ in range(5)]
    figures(
        f"a new saga's seconds to its end: {max(before):.2f} alone,"
        f" {max(meanwhile):.2f} beside 10,000 that wait (the slowest of five)"
    )
    assert max(meanwhile) < 5
    assert SagaRun.objects.filter(status="waiting").count() == 10_000


def walker_of(saga: SagaRun, workers: Sequence[ChildProcess]) -> ChildProcess:
    """The worker one of whose processes holds the saga's lease."""
    saga.refresh_from_db()
    parent = psutil.Process(int(saga.lease_holder.rpartition(":")[2])).parent()
    assert parent is not None
    (walker,) = [child for child in workers if child.process.pid == parent.pid]
    return walker


def test_a_worker_that_gets_sigterm_finishes_its_saga_whoever_else_is_offered_it(
    scripts: Scripts, worker: Workers, patient_broker: None
) -> None:
    workers = [worker("provisioning", environment=SHORT, options=SCRIPTED) for _ in range(2)]
    saga = scripts.of(["act"] * 5, {f"do_{idx}": ["sleep=0.7"] for idx in range(5)})
    wait_for_calls(scripts, saga, 1)
    going = walker_of(saga, workers)
    going.process.send_signal(signal.SIGTERM)
    with sweeping_often():
        for _ in range(100):
            publish_now("provisioning.advance_saga", queue="provisioning", saga_id=saga.pk)
        assert SagaRun.objects.get(pk=saga.pk).status == "running"
        assert wait_until_ended(saga).status == "completed"
    assert going.process.wait(30) == 0
    assert scripts.calls(saga) == [f"do:{idx}" for idx in range(5)]
    assert saga.recoveries == 0


def test_one_that_goes_does_not_take_back_what_its_successor_has_recovered(
    scripts: Scripts, worker: Workers, patient_broker: None
) -> None:
    """Stopped while it finishes its step, for longer than its lease, and then on its way out again.

    The step is long enough for the successor to start on a busy machine.
    """
    going = worker("provisioning", environment=SHORT, options=SCRIPTED)
    saga = scripts("act", "act", "act", "act", do_1=["sleep=12", "sleep=1"], do_2=["sleep=2"])
    wait_for_calls(scripts, saga, 2)
    worker("provisioning", environment=SHORT, options=SCRIPTED)
    going.process.send_signal(signal.SIGTERM)
    with sweeping_often():
        with hanging(going):
            wait_for_calls(scripts, saga, 3)
        assert wait_until_ended(saga).status == "completed"
        wait_for(going, "saga_interrupted", seconds=30)
        assert going.process.wait(30) == 0
    assert scripts.calls(saga) == ["do:0", "do:1", "do:1", "do:2", "do:3"]
    after = SagaRun.objects.get(pk=saga.pk)
    assert (after.status, after.recoveries, after.finished_at) == ("completed", 1, saga.finished_at)
    assert [step.attempts for step in saga.steps.order_by("step_idx")] == [1, 2, 1, 1]
