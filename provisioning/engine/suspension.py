"""What both ways share: letting a saga go for a while, and giving it up."""

from typing import Any

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.nudge import nudge
from provisioning.engine import ledger
from provisioning.engine.attempt import Reschedule
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.failpoints import Failpoint, reached
from provisioning.engine.step_state import EngineStepState
from provisioning.states import AdvanceOutcome, Direction

ADVANCE = "provisioning.advance_saga"
WALK_DUE = "provisioning.walk_due_sagas"
QUEUE = "provisioning"
DEAD_LETTER = "saga_dead_letter"
_LONGEST_COUNTDOWN_SECONDS = 60.0


def wait(held: ClaimedSaga, state: EngineStepState, later: Reschedule) -> bool:
    """Let the saga go for a while; False when it is to be cancelled and stays in hand."""
    error = later.error
    if error is not None and held.direction == Direction.BACKWARD:
        kept: dict[str, Any] | None = {"compensation": error}
    else:
        kept = error
    if ledger.schedule_wake(held, state.outputs, seconds=later.seconds, reason=later.reason, error=kept):
        return False
    reached(Failpoint.WAITING, held.saga_id, held.step_idx, held.step_name)
    countdown = min(later.seconds, _LONGEST_COUNTDOWN_SECONDS)
    nudge(ADVANCE, queue=QUEUE, countdown_seconds=countdown, saga_id=held.saga_id)
    return True


def move_to_dead_letters(held: ClaimedSaga, reason: str) -> AdvanceOutcome:
    """Make the saga a dead letter and tell the operators; both or neither are committed.

    What turned a saga back that can't go on backward is kept, for when it is retried.
    """
    before = held.error or {}
    error = {"reason": reason, "compensate_from_idx": before.get("compensate_from_idx")}
    if held.direction == Direction.BACKWARD:
        error["turned_back_by"] = before.get("turned_back_by", before.get("reason"))
    with transaction.atomic(durable=True):
        ledger.dead_letter(held, error)
        raise_alert(
            code=DEAD_LETTER,
            subject=f"saga:{held.saga_id}",
            message=f"Saga {held.saga_id} ({held.kind}) can't go on at {held.step_name}: {reason}",
            severity=Alert.Severity.CRITICAL,
            details={"kind": held.kind, "step_idx": held.step_idx, "reason": reason},
        )
    reached(Failpoint.ENDED, held.saga_id, held.step_idx, held.step_name)
    return AdvanceOutcome.FAILED
