"""The way forward: step after step, until the saga ends, waits, is cancelled or fails."""

from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Failed, Reschedule, call_step
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.compensation import start_compensation
from provisioning.engine.failpoints import Failpoint, reached
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import EngineStepState
from provisioning.engine.suspension import move_to_dead_letters, wait
from provisioning.states import AdvanceOutcome, StepStatus

CANCELLED = "cancelled"


def execute_steps(held: ClaimedSaga) -> AdvanceOutcome:
    """Execute the step it stands at and those after it."""
    if held.cancel_requested:
        return _cancel(held, was_begun=held.found is not None)
    while True:
        step = held.step
        if step is None or held.entry is None:
            return move_to_dead_letters(held, f"unregistered_step:{held.step_name}")
        reached(Failpoint.BEFORE_STEP, held.saga_id, held.step_idx, held.step_name)
        state = EngineStepState(held, held.entry, is_compensating=False)
        outcome = call_step(step.execute, state, step=step, entry=held.entry)
        reached(Failpoint.AFTER_EFFECT, held.saga_id, held.step_idx, held.step_name)
        if isinstance(outcome, Failed):
            return start_compensation(
                held,
                reason=f"step_failed:{held.step_name}",
                end=StepEnd(StepStatus.FAILED, outcome.error, state.outputs),
                undo_own=step.compensate_on_failure or outcome.is_out_of_time,
            )
        walk = _wait(held, state, outcome) if outcome else _completed(held, state)
        if walk is not None:
            return walk


def _completed(held: ClaimedSaga, state: EngineStepState) -> AdvanceOutcome | None:
    """Record the step and stand at the next one; how the walk ended when there is none."""
    next_idx = held.step_idx + 1
    is_last = next_idx == len(held.steps)
    next_step = None if is_last or registry.step_named(held.steps[next_idx]) is None else held.steps[next_idx]
    completed = ledger.complete_step(held, state.outputs, next_step=next_step)
    reached(Failpoint.AFTER_COMMIT, held.saga_id, held.step_idx, held.step_name)
    if is_last:
        reached(Failpoint.ENDED, held.saga_id, held.step_idx, held.step_name)
        return AdvanceOutcome.COMPLETED
    held.step_idx, held.entry = next_idx, completed.entry
    if completed.is_paused:
        return AdvanceOutcome.PAUSED
    return _cancel(held, was_begun=False) if completed.cancel_requested else None


def _wait(held: ClaimedSaga, state: EngineStepState, later: Reschedule) -> AdvanceOutcome:
    return AdvanceOutcome.WAITING if wait(held, state, later) else _cancel(held, was_begun=True)


def _cancel(held: ClaimedSaga, *, was_begun: bool) -> AdvanceOutcome:
    """Turn back. A step that was begun and didn't complete may have had its effect: it is undone too."""
    error = {"type": "Cancelled", "message": "cancelled before it was done"} if was_begun else None
    end = StepEnd(StepStatus.FAILED, error, {})
    return start_compensation(held, reason=CANCELLED, end=end, undo_own=was_begun)
