"""Dead letters, and the operator's hand on them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.models import Alert
from provisioning import registry
from provisioning.engine.claim import MOST_RECOVERIES
from provisioning.engine.dead_letters import UNCLAIMED_SECONDS
from provisioning.engine.runner import run, run_due
from provisioning.errors import SubjectBusy, WrongState
from provisioning.models import SagaRun, SagaSubject
from provisioning.services import cancel_saga, requeue_saga, retry_saga, sweep
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.scripted_workflow import lose_lease

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def deployed_without(*names: str) -> Iterator[None]:
    """A build that lacks these steps."""
    taken = {name: registry._steps.pop(name) for name in names}
    try:
        yield
    finally:
        registry._steps.update(taken)


def open_alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(resolved_at=None).values_list("code", "subject"))


def retry(saga: SagaRun) -> SagaRun:
    return retry_saga(saga_id=saga.pk, actor="jo")


def age_unclaimed(saga: SagaRun, seconds: float = UNCLAIMED_SECONDS) -> None:
    """Let so much time pass since the saga became due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET created_at = created_at - make_interval(secs => %(s)s),"
            " wake_at = wake_at - make_interval(secs => %(s)s) WHERE id = %(id)s",
            {"s": seconds, "id": saga.pk},
        )


def test_a_saga_whose_step_another_build_has_is_left_to_it(scripts: Scripts) -> None:
    """A rolling deployment: workers of the former build meet the sagas of the new one."""
    begun, halfway = scripts("retried"), scripts("act", "retried")
    with deployed_without("retried"):
        assert run(begun.pk) == AdvanceOutcome.NOT_DUE
        assert run(halfway.pk) == AdvanceOutcome.WAITING
        assert run(halfway.pk) == AdvanceOutcome.NOT_DUE
        assert run_due(seconds=5) == 0
        age_unclaimed(begun, UNCLAIMED_SECONDS - 60)
        sweep()
        halfway.refresh_from_db()
        assert (halfway.status, halfway.wait_reason) == (
            "waiting",
            "no worker of this build knows the step retried",
        )
        assert (ledger(halfway), open_alerts()) == ([("act", "completed")], [])
    assert run(begun.pk) == AdvanceOutcome.COMPLETED
    assert run(halfway.pk) == AdvanceOutcome.COMPLETED


def test_a_compensation_whose_step_another_build_has_is_left_to_it(scripts: Scripts) -> None:
    saga = scripts("act", "retried", "act", do_2=["wait=0", "fail"])
    run(saga.pk)
    with deployed_without("retried"):
        assert run(saga.pk) == AdvanceOutcome.WAITING
        saga.refresh_from_db()
        assert (saga.status, saga.current_step_idx) == ("compensating", 1)
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert scripts.calls(saga)[-2:] == ["undo:1", "undo:0"]


def test_a_saga_whose_step_no_build_has_is_a_dead_letter_after_a_while(scripts: Scripts) -> None:
    saga = scripts("act", "retried", subjects=["droplet:1"])
    with deployed_without("retried"):
        assert run(saga.pk) == AdvanceOutcome.WAITING
        age_unclaimed(saga)
        sweep()
        saga.refresh_from_db()
        assert saga.status == "failed"
        assert saga.error == {"reason": "unregistered_step:retried", "compensate_from_idx": None}
        assert ledger(saga) == [("act", "completed")], "the step was never begun"
        assert open_alerts() == [("saga_dead_letter", f"saga:{saga.pk}")]
        assert run(saga.pk) == AdvanceOutcome.NOT_DUE
        with pytest.raises(WrongState, match="this build still has no step retried"):
            retry(saga)
        with pytest.raises(SubjectBusy):
            scripts("act", subjects=["droplet:1"])
    assert retry(saga).status == "running"
    assert open_alerts() == []
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    saga.refresh_from_db()
    assert (saga.error, scripts.calls(saga)) == (None, ["do:0", "do:1"])
    assert not SagaSubject.objects.exists()


def test_one_whose_compensation_is_gone_goes_on_backward_when_it_is_retried(scripts: Scripts) -> None:
    saga = scripts("act", "retried", "act", do_2=["wait=0", "fail"])
    run(saga.pk)
    with deployed_without("retried"):
        assert run(saga.pk) == AdvanceOutcome.WAITING
        age_unclaimed(saga)
        sweep()
        saga.refresh_from_db()
        assert saga.error == {
            "reason": "unregistered_step:retried",
            "compensate_from_idx": 1,
            "turned_back_by": "step_failed:act",
        }
        with pytest.raises(WrongState, match="being rolled back already"):
            cancel_saga(saga_id=saga.pk, actor="jo")
    assert retry(saga).status == "compensating"
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    saga.refresh_from_db()
    assert saga.error == {"reason": "step_failed:act", "compensate_from_idx": 1}
    assert scripts.calls(saga)[-2:] == ["undo:1", "undo:0"]


def test_a_dead_letter_can_be_cancelled_instead(scripts: Scripts) -> None:
    saga = scripts("act", "retried", subjects=["droplet:1"])
    with deployed_without("retried"):
        run(saga.pk)
        cancel_saga(saga_id=saga.pk, actor="jo")
        assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK, "what was never begun needs no undo, and no code"
    saga.refresh_from_db()
    assert saga.error == {"reason": "cancelled", "compensate_from_idx": 0}
    assert (open_alerts(), scripts.calls(saga)) == ([], ["do:0", "undo:0"])
    assert not SagaSubject.objects.exists()


def test_a_saga_that_takes_every_worker_down_is_a_dead_letter_in_the_end(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["lose"] * (MOST_RECOVERIES + 1))
    for _ in range(MOST_RECOVERIES + 1):
        assert run(saga.pk) == AdvanceOutcome.INTERRUPTED
    assert run(saga.pk) == AdvanceOutcome.FAILED
    saga.refresh_from_db()
    assert (saga.status, saga.recoveries) == ("failed", MOST_RECOVERIES + 1)
    assert saga.error == {"reason": "recovered_too_often", "compensate_from_idx": None}
    assert len(scripts.calls(saga)) == MOST_RECOVERIES + 1
    retry(saga)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    saga.refresh_from_db()
    assert saga.recoveries == 0


def test_a_rolled_back_saga_is_started_again_with_the_same_inputs_once(scripts: Scripts) -> None:
    saga = run_to_end(scripts("act", do_0=["fail"]))
    again = retry(saga)
    assert (again.status, again.retry_of_id, again.inputs) == ("pending", saga.pk, saga.inputs)
    assert again.requested_by == "jo"
    assert retry(saga).pk == again.pk


def test_nothing_else_is_retried(scripts: Scripts) -> None:
    with pytest.raises(WrongState, match="is completed: it can't be retried"):
        retry(start_and_run(message="hello"))
    with pytest.raises(WrongState, match="is pending: it can't be retried"):
        retry(start(message="hello"))
    with pytest.raises(NotFound):
        retry_saga(saga_id=999999, actor="jo")


def test_requeueing_is_for_live_sagas_and_harmless(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["wait=3600"])
    run(saga.pk)
    assert requeue_saga(saga_id=saga.pk).status == "waiting"
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    with pytest.raises(WrongState, match="is completed: nothing is left to do"):
        requeue_saga(saga_id=start_and_run(message="hello").pk)


def test_a_recovery_is_another_attempt_and_its_step_knows(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["wait=0", "lose"])
    run(saga.pk)
    assert run(saga.pk) == AdvanceOutcome.INTERRUPTED
    lose_lease(saga.pk)
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    saga.refresh_from_db()
    step = saga.steps.get()
    assert (saga.recoveries, step.attempts) == (1, 2)
    assert step.last_began_at is not None
    assert step.last_began_at > step.started_at, "the entry that was lost came after the wait"
