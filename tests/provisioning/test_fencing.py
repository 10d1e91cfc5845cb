"""One walker per saga: claims, leases, and those who come back late."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning.engine import claim
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.states import AdvanceOutcome
from tests.kernel.threads import at_once, in_thread
from tests.processes import Workers, hanging, wait_for
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end, wait_until_ended
from tests.provisioning.scripted_workflow import lose_lease

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPTED = ("--concurrency", "1", "--pool", "prefork", "--include", "tests.provisioning.scripted_workflow")
FREE = "AND (saga.lease_expires_at IS NULL OR saga.lease_expires_at <= clock_timestamp())"


def wait_for_calls(scripts: Scripts, saga: SagaRun, count: int, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while len(scripts.calls(saga)) < count:
        assert time.monotonic() < deadline, "the step never began"
        time.sleep(0.01)


def test_two_threads_at_once_run_each_step_once(scripts: Scripts) -> None:
    for _ in range(50):
        saga = scripts("act", "act", "act")
        walks = at_once(2, lambda pk=saga.pk: run(pk))  # type: ignore[misc]
        assert sorted(walks) == [AdvanceOutcome.COMPLETED, AdvanceOutcome.NOT_DUE]
        assert scripts.calls(saga) == ["do:0", "do:1", "do:2"]


def test_without_the_lease_two_would_run_it_and_this_harness_sees_it(
    scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    statement = claim._CLAIM
    assert FREE in statement.text
    monkeypatch.setattr(claim, "_CLAIM", replace(statement, text=statement.text.replace(FREE, "")))
    doubled = 0
    for _ in range(20):
        saga = scripts("act", "act", do_0=["sleep=0.02", "sleep=0.02"])
        at_once(2, lambda pk=saga.pk: run(pk))  # type: ignore[misc]
        doubled += scripts.calls(saga).count("do:0") == 2
    assert doubled > 0


@pytest.mark.parametrize("word", ["lose", "lose and write"])
def test_a_holder_whose_lease_ran_out_writes_nothing(scripts: Scripts, word: str) -> None:
    saga = scripts("act", "act", do_0=[word])
    assert run(saga.pk) == AdvanceOutcome.INTERRUPTED
    saga.refresh_from_db()
    assert (saga.status, saga.current_step_idx, saga.context) == ("running", 0, {})
    assert ledger(saga) == [("act", "running")]
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    assert scripts.calls(saga) == ["do:0", "do:0", "do:1"]


@pytest.mark.parametrize("words", [["fail"], ["wait=1"], ["retry"], ["bug"]])
def test_nor_does_it_when_its_step_ended_otherwise(
    scripts: Scripts, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = scripts("retried", do_0=words)
    monkeypatch.setattr(
        "provisioning.engine.claim.reached",
        lambda boundary, saga_id, *_: lose_lease(saga_id) if boundary == "after_effect" else None,
    )
    assert run(saga.pk) == AdvanceOutcome.INTERRUPTED
    saga.refresh_from_db()
    assert (saga.status, saga.direction, saga.error, saga.context) == ("running", "forward", None, {})


def test_one_that_lost_its_saga_cannot_take_it_back_from_its_successor(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["sleep=1.5", "ok"])
    late: list[AdvanceOutcome] = []
    slow = in_thread(lambda: late.append(run(saga.pk)))
    wait_for_calls(scripts, saga, 1)
    lose_lease(saga.pk)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    after = SagaRun.objects.filter(pk=saga.pk).values().get()
    slow.join()
    assert late == [AdvanceOutcome.INTERRUPTED]
    assert SagaRun.objects.filter(pk=saga.pk).values().get() == after
    assert scripts.calls(saga) == ["do:0", "do:0", "do:1"]


def test_the_renewer_keeps_a_lease_longer_than_it_was_taken_for(scripts: Scripts, settings: Settings) -> None:
    settings.ARCADIA_SAGA_LEASE_SECONDS = 2
    saga = scripts("act", do_0=["sleep=5"])
    walks: list[AdvanceOutcome] = []
    walking = in_thread(lambda: walks.append(run(saga.pk)))
    wait_for_calls(scripts, saga, 1)
    while walking.is_alive():
        assert run(saga.pk) == AdvanceOutcome.NOT_DUE
        time.sleep(0.2)
    assert walks == [AdvanceOutcome.COMPLETED]
    assert scripts.calls(saga) == ["do:0"]


@pytest.mark.parametrize(("asked", "at_least"), [(300, 300), (1, 60)])
def test_before_a_write_the_lease_is_made_to_outlast_it(
    scripts: Scripts, settings: Settings, asked: int, at_least: int
) -> None:
    settings.ARCADIA_SAGA_LEASE_SECONDS = 60
    saga = scripts("act", do_0=[f"write={asked}"])
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    saga.refresh_from_db()
    assert at_least - 5 < saga.context["seconds left"] <= at_least


@pytest.mark.processes
def test_a_worker_that_was_stopped_and_comes_back_writes_nothing(scripts: Scripts, worker: Workers) -> None:
    child = worker("provisioning", environment={"ARCADIA_SAGA_LEASE_SECONDS": "1"}, options=SCRIPTED)
    saga = scripts("act", "act", do_0=["sleep=0.5"])
    wait_for_calls(scripts, saga, 1)
    with hanging(child):
        time.sleep(1.6)
        assert run_to_end(saga).status == "completed"
        after = SagaRun.objects.filter(pk=saga.pk).values().get()
    wait_for(child, "saga_interrupted", seconds=20)
    assert SagaRun.objects.filter(pk=saga.pk).values().get() == after
    assert (after["recoveries"], scripts.calls(saga)) == (1, ["do:0", "do:0", "do:1"])


@pytest.mark.processes
def test_two_workers_offered_one_saga_a_thousand_times_run_each_step_once(
    scripts: Scripts, worker: Workers
) -> None:
    saga = scripts.of(["act"] * 40, {f"do_{idx}": ["sleep=0.05"] for idx in range(40)})
    for _ in range(1000):
        publish_now("provisioning.advance_saga", queue="provisioning", saga_id=saga.pk)
    for _ in range(2):
        worker("provisioning", options=SCRIPTED)
    assert wait_until_ended(saga).status == "completed"
    assert scripts.calls(saga) == [f"do:{idx}" for idx in range(40)]
    assert saga.recoveries == 0


@pytest.mark.processes
def test_a_killed_workers_saga_is_taken_up_where_it_stood(
    scripts: Scripts, worker: Workers, tmp_path: Path
) -> None:
    child = worker("provisioning", environment={"ARCADIA_SAGA_LEASE_SECONDS": "1"}, options=SCRIPTED)
    saga = scripts("act", "act", "act", do_1=["die"])
    wait_for_calls(scripts, saga, 2)
    assert run_to_end(saga).status == "completed"
    assert scripts.calls(saga) == ["do:0", "do:1", "do:1", "do:2"]
    assert saga.steps.get(step_idx=1).attempts == 2
    assert child.process.poll() is None, "the worker itself goes on, with another child"
