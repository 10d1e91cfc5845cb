"""Backward: compensate the completed steps, the last first. One that fails doesn't stop the rest."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.attempt import Reschedule, StepFailure, call_step
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.dead_letters import release_unknown_step
from provisioning.engine.failpoints import Failpoint
from provisioning.engine.ledger import StepEnd
from provisioning.engine.step_state import EngineStepState
from provisioning.engine.wake import release_until_wake
from provisioning.states import AdvanceOutcome, Direction, StepStatus

COMPENSATION_FAILED: Final = "saga_compensation_failed"
_NO_COMPENSATION: Final = {"type": "NoCompensation", "message": "this build's step of that name has none"}


def start_compensation(
    claimed: ClaimedSaga, *, reason: str, end: StepEnd, includes_present: bool
) -> AdvanceOutcome:
    """Record the present step's end, and compensate from it on, or from the one before."""
    first = _next_to_compensate(claimed, below=claimed.step_idx + 1 if includes_present else claimed.step_idx)
    error = {"reason": reason, "compensate_from_idx": first}
    outcome = _record(claimed, end, first, Failpoint.COMPENSATION_STARTED, saga_error=error)
    # After the commit: a lost lease leaves the saga forward, as its row has it.
    claimed.direction, claimed.error = Direction.BACKWARD, error
    return outcome or compensate_steps(claimed)


def compensate_steps(claimed: ClaimedSaga) -> AdvanceOutcome:
    """Compensate the present step and those before it, until the saga ends or is released."""
    while True:
        step, attempt = claimed.step, claimed.attempt
        if step is None or attempt is None:
            return release_unknown_step(claimed)
        claimed.reach(Failpoint.BEFORE_COMPENSATION)
        state = EngineStepState(claimed, attempt, is_compensating=True)
        # The build that executed the step had a compensation, or this index wouldn't have been chosen.
        result: StepFailure | Reschedule | None = StepFailure(_NO_COMPENSATION)
        if step.compensate is not None:
            result = call_step(step.compensate, state, step=step, attempt=attempt)
        claimed.reach(Failpoint.AFTER_COMPENSATION)
        # A cancel is no reason to stay: the saga compensates already.
        if isinstance(result, Reschedule):
            release_until_wake(claimed, state, result)
            return AdvanceOutcome.WAITING
        outcome = _complete_compensation(claimed, state, result)
        if outcome is not None:
            return outcome


def _complete_compensation(
    claimed: ClaimedSaga, state: EngineStepState, failed: StepFailure | None
) -> AdvanceOutcome | None:
    """Record the compensation and enter the next one; an outcome when there is none, or a pause."""
    next_idx = _next_to_compensate(claimed, below=claimed.step_idx)
    if failed is None:
        end = StepEnd(StepStatus.COMPENSATED, None, state.outputs)
        return _record(claimed, end, next_idx, Failpoint.AFTER_COMPENSATION_COMMIT)
    end = StepEnd(StepStatus.COMPENSATION_FAILED, {"compensation": failed.error}, state.outputs)
    return _record(claimed, end, next_idx, Failpoint.AFTER_COMPENSATION_COMMIT, failure=failed)


def _record(
    claimed: ClaimedSaga,
    end: StepEnd,
    next_idx: int | None,
    failpoint: Failpoint,
    *,
    saga_error: Mapping[str, object] | None = None,
    failure: StepFailure | None = None,
) -> AdvanceOutcome | None:
    enter = next_idx is not None and registry.step_named(claimed.steps[next_idx]) is not None
    if failure is None:
        compensation = ledger.record_compensation(
            claimed, end, next_idx=next_idx, enter=enter, saga_error=saga_error
        )
    else:
        # Both or neither: an alert of a failure that isn't recorded would send an operator astray.
        with transaction.atomic(durable=True):
            compensation = ledger.record_compensation(claimed, end, next_idx=next_idx, enter=enter)
            _raise_alert(claimed, failure.error)
    claimed.reach(failpoint)
    if next_idx is None:
        claimed.reach(Failpoint.ENDED)
        return AdvanceOutcome.ROLLED_BACK
    claimed.step_idx, claimed.attempt = next_idx, compensation.next_attempt
    return AdvanceOutcome.PAUSED if compensation.is_paused else None


def _next_to_compensate(claimed: ClaimedSaga, *, below: int) -> int | None:
    """Return the highest index below with something to compensate; an unknown step may have something."""
    for idx in range(below - 1, -1, -1):
        step = registry.step_named(claimed.steps[idx])
        if step is None or step.compensate is not None:
            return idx
    return None


def _raise_alert(claimed: ClaimedSaga, error: dict[str, str]) -> None:
    raise_alert(
        code=COMPENSATION_FAILED,
        subject=f"saga:{claimed.saga_id}",
        message=(
            f"Saga {claimed.saga_id} ({claimed.kind}) could not undo {claimed.step_name}: {error['message']}"
        ),
        severity=Alert.Severity.CRITICAL,
        details={"kind": claimed.kind, "step_idx": claimed.step_idx, "error": error},
    )
