"""The way back: turn round, then undo what was done, the last first. The walk goes on past a failing undo."""

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Failed, Later, perform
from provisioning.engine.claim import Entry, Held
from provisioning.engine.failpoints import Boundary, passing
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import State
from provisioning.engine.suspension import give_up, wait
from provisioning.states import Direction, StepStatus, Walk

UNDO_FAILED = "saga_compensation_failed"


def turn_back(held: Held, *, reason: str, end: StepEnd, undo_own: bool) -> Walk:
    """End the present step as `end` says, and walk back from it. `undo_own`: its own effect may be there."""
    first = _next_undo(held, held.step_idx if undo_own else held.step_idx - 1)
    error = {"reason": reason, "compensate_from_idx": first}
    paused, entry = ledger.go_back(
        held, end, next_idx=first, enter=_is_registered(held, first), saga_error=error
    )
    passing(Boundary.TURNED_BACK, held.saga_id, held.step_idx, held.step_name)
    held.direction, held.error = Direction.BACKWARD, error
    return _went(held, first, paused, entry) or walk_back(held)


def walk_back(held: Held) -> Walk:
    """Undo the step it stands at and those before it, until the saga ends or is let go."""
    while True:
        step = held.step
        if step is None or held.entry is None:
            return give_up(held, f"unregistered_step:{held.step_name}")
        passing(Boundary.BEFORE_COMPENSATION, held.saga_id, held.step_idx, held.step_name)
        state = State(held, held.entry, is_compensating=True)
        outcome: Failed | Later | None = Failed(_NO_UNDO)
        if step.compensate is not None:
            outcome = perform(step.compensate, state, step=step, entry=held.entry)
        passing(Boundary.AFTER_UNDO, held.saga_id, held.step_idx, held.step_name)
        if isinstance(outcome, Later):
            wait(held, state, outcome)
            return Walk.WAITING
        walk = _undone(held, state, outcome)
        if walk is not None:
            return walk


_NO_UNDO = {"type": "NoCompensation", "message": "this build's step of that name has none"}


def _undone(held: Held, state: State, failed: Failed | None) -> Walk | None:
    """Record the undo and stand at the next one; how the walk ended when there is none, or a pause."""
    next_idx = _next_undo(held, held.step_idx - 1)
    enter = _is_registered(held, next_idx)
    if failed is None:
        end = StepEnd(StepStatus.COMPENSATED, None, state.outputs)
        paused, entry = ledger.go_back(held, end, next_idx=next_idx, enter=enter)
    else:
        end = StepEnd(StepStatus.COMPENSATION_FAILED, {"compensation": failed.error}, state.outputs)
        with transaction.atomic(durable=True):
            paused, entry = ledger.go_back(held, end, next_idx=next_idx, enter=enter)
            _tell(held, failed.error)
    passing(Boundary.AFTER_UNDO_COMMIT, held.saga_id, held.step_idx, held.step_name)
    return _went(held, next_idx, paused, entry)


def _went(held: Held, next_idx: int | None, paused: bool, entry: Entry | None) -> Walk | None:
    if next_idx is None:
        passing(Boundary.ENDED, held.saga_id, held.step_idx, held.step_name)
        return Walk.ROLLED_BACK
    held.step_idx, held.entry = next_idx, entry
    return Walk.PAUSED if paused else None


def _next_undo(held: Held, highest: int) -> int | None:
    """The highest index, up to this one, with something to undo. What an unknown step has, nobody knows."""
    for idx in range(highest, -1, -1):
        step = registry.step_named(held.steps[idx])
        if step is None or step.compensate is not None:
            return idx
    return None


def _is_registered(held: Held, idx: int | None) -> bool:
    return idx is not None and registry.step_named(held.steps[idx]) is not None


def _tell(held: Held, error: dict[str, str]) -> None:
    raise_alert(
        code=UNDO_FAILED,
        subject=f"saga:{held.saga_id}",
        message=f"Saga {held.saga_id} ({held.kind}) could not undo {held.step_name}: {error['message']}",
        severity=Alert.Severity.CRITICAL,
        details={"kind": held.kind, "step_idx": held.step_idx, "error": error},
    )
