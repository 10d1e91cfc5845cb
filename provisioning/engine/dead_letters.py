"""Dead letters: sagas that the engine can't advance until an operator acts."""

from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from provisioning.engine import ledger
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.failpoints import Failpoint
from provisioning.states import AdvanceOutcome, Direction

DEAD_LETTER: Final = "saga_dead_letter"


def move_to_dead_letters(claimed: ClaimedSaga, reason: str) -> AdvanceOutcome:
    """Make the saga a dead letter and alert the operators; both or neither are committed.

    A saga that can't go on backward keeps the reason of its compensation, for when it is retried.
    """
    before = claimed.error or {}
    error = {"reason": reason, "compensate_from_idx": before.get("compensate_from_idx")}
    if claimed.direction == Direction.BACKWARD:
        error["turned_back_by"] = before.get("turned_back_by", before.get("reason"))
    # A dead letter without an alert would wait for ever: no sweep looks at ended sagas.
    with transaction.atomic(durable=True):
        ledger.move_to_dead_letters(claimed, error)
        raise_alert(
            code=DEAD_LETTER,
            subject=f"saga:{claimed.saga_id}",
            message=f"Saga {claimed.saga_id} ({claimed.kind}) can't go on at {claimed.step_name}: {reason}",
            severity=Alert.Severity.CRITICAL,
            details={"kind": claimed.kind, "step_idx": claimed.step_idx, "reason": reason},
        )
    claimed.reach(Failpoint.ENDED)
    return AdvanceOutcome.FAILED
