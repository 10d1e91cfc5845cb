"""The way back: turn round, then undo what was done, the last first. The walk goes on past a failing undo."""

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Failed, Reschedule, call_step
from provisioning.engine.claim import ClaimedSaga, StepAttempt
from provisioning.engine.failpoints import Failpoint, reached
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import EngineStepState
from provisioning.engine.suspension import move_to_dead_letters, wait
from provisioning.states import AdvanceOutcome, Direction, StepStatus

COMPENSATION_FAILED = "saga_compensation_failed"


def start_compensation(held: ClaimedSaga, *, reason: str, end: StepEnd, undo_own: bool) -> AdvanceOutcome:
    """End the present step as `end` says, and walk back from it. `undo_own`: its own effect may be there."""
    first = _next_undo(held, held.step_idx if undo_own else held.step_idx - 1)
    error = {"reason": reason, "compensate_from_idx": first}
    paused, entry = ledger.record_compensation(
        held, end, next_idx=first, enter=_is_registered(held, first), saga_error=error
    )
    reached(Failpoint.TURNED_BACK, held.saga_id, held.step_idx, held.step_name)
    held.direction, held.error = Direction.BACKWARD, error
    return _went(held, first, paused, entry) or compensate_steps(held)


def compensate_steps(held: ClaimedSaga) -> AdvanceOutcome:
    """Undo the step it stands at and those before it, until the saga ends or is let go."""
    while True:
        step = held.step
        if step is None or held.entry is None:
            return move_to_dead_letters(held, f"unregistered_step:{held.step_name}")
        reached(Failpoint.BEFORE_COMPENSATION, held.saga_id, held.step_idx, held.step_name)
        state = EngineStepState(held, held.entry, is_compensating=True)
        outcome: Failed | Reschedule | None = Failed(_NO_UNDO)
        if step.compensate is not None:
            outcome = call_step(step.compensate, state, step=step, entry=held.entry)
        reached(Failpoint.AFTER_UNDO, held.saga_id, held.step_idx, held.step_name)
        if isinstance(outcome, Reschedule):
            wait(held, state, outcome)
            return AdvanceOutcome.WAITING
        walk = _undone(held, state, outcome)
        if walk is not None:
            return walk


_NO_UNDO = {"type": "NoCompensation", "message": "this build's step of that name has none"}


def _undone(held: ClaimedSaga, state: EngineStepState, failed: Failed | None) -> AdvanceOutcome | None:
    """Record the undo and stand at the next one; how the walk ended when there is none, or a pause."""
    next_idx = _next_undo(held, held.step_idx - 1)
    enter = _is_registered(held, next_idx)
    if failed is None:
        end = StepEnd(StepStatus.COMPENSATED, None, state.outputs)
        paused, entry = ledger.record_compensation(held, end, next_idx=next_idx, enter=enter)
    else:
        end = StepEnd(StepStatus.COMPENSATION_FAILED, {"compensation": failed.error}, state.outputs)
        with transaction.atomic(durable=True):
            paused, entry = ledger.record_compensation(held, end, next_idx=next_idx, enter=enter)
            _tell(held, failed.error)
    reached(Failpoint.AFTER_UNDO_COMMIT, held.saga_id, held.step_idx, held.step_name)
    return _went(held, next_idx, paused, entry)


def _went(
    held: ClaimedSaga, next_idx: int | None, paused: bool, entry: StepAttempt | None
) -> AdvanceOutcome | None:
    if next_idx is None:
        reached(Failpoint.ENDED, held.saga_id, held.step_idx, held.step_name)
        return AdvanceOutcome.ROLLED_BACK
    held.step_idx, held.entry = next_idx, entry
    return AdvanceOutcome.PAUSED if paused else None


def _next_undo(held: ClaimedSaga, highest: int) -> int | None:
    """The highest index, up to this one, with something to undo. What an unknown step has, nobody knows."""
    for idx in range(highest, -1, -1):
        step = registry.step_named(held.steps[idx])
        if step is None or step.compensate is not None:
            return idx
    return None


def _is_registered(held: ClaimedSaga, idx: int | None) -> bool:
    return idx is not None and registry.step_named(held.steps[idx]) is not None


def _tell(held: ClaimedSaga, error: dict[str, str]) -> None:
    raise_alert(
        code=COMPENSATION_FAILED,
        subject=f"saga:{held.saga_id}",
        message=f"Saga {held.saga_id} ({held.kind}) could not undo {held.step_name}: {error['message']}",
        severity=Alert.Severity.CRITICAL,
        details={"kind": held.kind, "step_idx": held.step_idx, "error": error},
    )
