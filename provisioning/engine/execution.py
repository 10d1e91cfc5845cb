"""The way forward: step after step, until the saga ends, waits, is cancelled or fails."""

from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Failed, Later, perform
from provisioning.engine.claim import Held
from provisioning.engine.compensation import turn_back
from provisioning.engine.failpoints import Boundary, passing
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import State
from provisioning.engine.suspension import give_up, wait
from provisioning.states import StepStatus, Walk

CANCELLED = "cancelled"


def walk_forward(held: Held) -> Walk:
    """Execute the step it stands at and those after it."""
    if held.cancel_requested:
        return _cancel(held, was_begun=held.found is not None)
    while True:
        step = held.step
        if step is None or held.entry is None:
            return give_up(held, f"unregistered_step:{held.step_name}")
        passing(Boundary.BEFORE_STEP, held.saga_id, held.step_idx, held.step_name)
        state = State(held, held.entry, is_compensating=False)
        outcome = perform(step.execute, state, step=step, entry=held.entry)
        passing(Boundary.AFTER_EFFECT, held.saga_id, held.step_idx, held.step_name)
        if isinstance(outcome, Failed):
            return turn_back(
                held,
                reason=f"step_failed:{held.step_name}",
                end=StepEnd(StepStatus.FAILED, outcome.error, state.outputs),
                undo_own=step.fails_halfway or outcome.is_out_of_time,
            )
        walk = _wait(held, state, outcome) if outcome else _completed(held, state)
        if walk is not None:
            return walk


def _completed(held: Held, state: State) -> Walk | None:
    """Record the step and stand at the next one; how the walk ended when there is none."""
    next_idx = held.step_idx + 1
    is_last = next_idx == len(held.steps)
    next_step = None if is_last or registry.step_named(held.steps[next_idx]) is None else held.steps[next_idx]
    completed = ledger.complete_step(held, state.outputs, next_step=next_step)
    passing(Boundary.AFTER_COMMIT, held.saga_id, held.step_idx, held.step_name)
    if is_last:
        passing(Boundary.ENDED, held.saga_id, held.step_idx, held.step_name)
        return Walk.COMPLETED
    held.step_idx, held.entry = next_idx, completed.entry
    if completed.is_paused:
        return Walk.PAUSED
    return _cancel(held, was_begun=False) if completed.cancel_requested else None


def _wait(held: Held, state: State, later: Later) -> Walk:
    return Walk.WAITING if wait(held, state, later) else _cancel(held, was_begun=True)


def _cancel(held: Held, *, was_begun: bool) -> Walk:
    """Turn back. A step that was begun and didn't complete may have had its effect: it is undone too."""
    error = {"type": "Cancelled", "message": "cancelled before it was done"} if was_begun else None
    end = StepEnd(StepStatus.FAILED, error, {})
    return turn_back(held, reason=CANCELLED, end=end, undo_own=was_begun)
