"""Forward: execute step after step, until the saga ends, waits, is cancelled or fails."""

from typing import Final

from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Reschedule, StepFailure, call_step
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.compensation import start_compensation
from provisioning.engine.dead_letters import release_unknown_step
from provisioning.engine.failpoints import Failpoint
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import EngineStepState
from provisioning.engine.wake import release_until_wake
from provisioning.states import AdvanceOutcome, StepStatus

CANCELLED: Final = "cancelled"


def execute_steps(claimed: ClaimedSaga) -> AdvanceOutcome:
    """Execute the present step and those after it."""
    # The claim enters no step of a cancelled saga: only a row from before it may have had its effect.
    if claimed.cancel_requested:
        return _cancel(claimed, was_begun=claimed.status_before is not None)
    while True:
        step, attempt = claimed.step, claimed.attempt
        if step is None or attempt is None:
            return release_unknown_step(claimed)
        # The row already says `running`: from here on a crash is known to have been possible.
        claimed.reach(Failpoint.BEFORE_STEP)
        state = EngineStepState(claimed, attempt, is_compensating=False)
        result = call_step(step.execute, state, step=step, attempt=attempt)
        claimed.reach(Failpoint.AFTER_EFFECT)
        if isinstance(result, StepFailure):
            return start_compensation(
                claimed,
                reason=f"step_failed:{claimed.step_name}",
                end=StepEnd(StepStatus.FAILED, result.error, state.outputs),
                # What ran out of time may still have had its effect.
                includes_present=step.compensate_on_failure or result.is_out_of_time,
            )
        if isinstance(result, Reschedule):
            if release_until_wake(claimed, state, result):
                return AdvanceOutcome.WAITING
            return _cancel(claimed, was_begun=True)
        outcome = _complete_step(claimed, state)
        if outcome is not None:
            return outcome


def _complete_step(claimed: ClaimedSaga, state: EngineStepState) -> AdvanceOutcome | None:
    """Record the step and enter the next one; an outcome when there is none, or a pause, or a cancel."""
    next_idx = claimed.step_idx + 1
    is_last = next_idx == len(claimed.steps)
    # A step that this build doesn't know is not entered: its row would say that it was begun.
    next_step = (
        None if is_last or registry.step_named(claimed.steps[next_idx]) is None else claimed.steps[next_idx]
    )
    # One statement: a crash between this step's end and the next one's beginning can't be seen.
    completion = ledger.complete_step(claimed, state.outputs, next_step=next_step)
    claimed.reach(Failpoint.AFTER_COMMIT)
    if is_last:
        claimed.reach(Failpoint.ENDED)
        return AdvanceOutcome.COMPLETED
    claimed.step_idx, claimed.attempt = next_idx, completion.next_attempt
    if completion.is_paused:
        return AdvanceOutcome.PAUSED
    return _cancel(claimed, was_begun=False) if completion.cancel_requested else None


def _cancel(claimed: ClaimedSaga, *, was_begun: bool) -> AdvanceOutcome:
    """Start the compensation. A step that was begun and didn't complete may have had its effect: included."""
    error = {"type": "Cancelled", "message": "cancelled before it was done"} if was_begun else None
    end = StepEnd(StepStatus.FAILED, error, {})
    return start_compensation(claimed, reason=CANCELLED, end=end, includes_present=was_begun)
