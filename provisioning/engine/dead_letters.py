"""Dead letters: sagas that the engine can't advance until an operator acts."""

from dataclasses import dataclass
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.sql import fetch_all, load
from provisioning import registry
from provisioning.engine import ledger
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.failpoints import Failpoint
from provisioning.states import AdvanceOutcome, Direction

DEAD_LETTER: Final = "saga_dead_letter"
# A rolling deployment is over by then: no build that knows the step is coming.
UNCLAIMED_SECONDS: Final = 900.0
_FAIL_UNKNOWN_STEPS: Final = load(__package__, "fail_unknown_steps.sql")


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
        _raise_alert(claimed.saga_id, claimed.kind, claimed.step_idx, claimed.step_name, reason)
    claimed.reach(Failpoint.ENDED)
    return AdvanceOutcome.FAILED


def release_unknown_step(claimed: ClaimedSaga) -> AdvanceOutcome:
    """Leave the saga to a worker whose build knows its present step, as in a rolling deployment."""
    ledger.release_unknown_step(claimed, f"no worker of this build knows the step {claimed.step_name}")
    claimed.reach(Failpoint.WAITING)
    return AdvanceOutcome.WAITING


@dataclass(frozen=True, slots=True)
class _UnknownStep:
    saga_id: int
    kind: str
    step_idx: int
    step_name: str


def fail_unknown_steps() -> int:
    """Make dead letters of the sagas that no build could advance for a while; return how many."""
    parameters = {"known": registry.step_names(), "unclaimed_seconds": UNCLAIMED_SECONDS}
    with transaction.atomic(durable=True):
        found = fetch_all(_FAIL_UNKNOWN_STEPS, parameters, into=_UnknownStep)
        for each in found:
            reason = f"unregistered_step:{each.step_name}"
            _raise_alert(each.saga_id, each.kind, each.step_idx, each.step_name, reason)
    return len(found)


def _raise_alert(saga_id: int, kind: str, step_idx: int, step_name: str, reason: str) -> None:
    raise_alert(
        code=DEAD_LETTER,
        subject=f"saga:{saga_id}",
        message=f"Saga {saga_id} ({kind}) can't go on at {step_name}: {reason}",
        severity=Alert.Severity.CRITICAL,
        details={"kind": kind, "step_idx": step_idx, "reason": reason},
    )
