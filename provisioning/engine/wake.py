"""The release of a saga that waits, until it is woken."""

from collections.abc import Mapping
from typing import Final

from arcadia_cloud.kernel.queue.nudge import nudge
from provisioning.engine import ledger
from provisioning.engine.attempt import Reschedule
from provisioning.engine.claim import ClaimedSaga
from provisioning.engine.failpoints import Failpoint
from provisioning.engine.step_state import EngineStepState
from provisioning.queue import ADVANCE_SAGA, QUEUE
from provisioning.states import Direction

_LONGEST_COUNTDOWN_SECONDS: Final = 60.0


def release_until_wake(claimed: ClaimedSaga, state: EngineStepState, reschedule: Reschedule) -> bool:
    """Release the saga for a while; False when it is to be cancelled and stays claimed."""
    error: Mapping[str, object] | None = reschedule.error
    if error is not None and claimed.direction == Direction.BACKWARD:
        error = {"compensation": error}
    if ledger.schedule_wake(
        claimed, state.outputs, seconds=reschedule.seconds, reason=reschedule.reason, error=error
    ):
        return False
    claimed.reach(Failpoint.WAITING)
    # Redis redelivers what waits longer than its visibility timeout: the sweep wakes those that wait long.
    countdown = min(reschedule.seconds, _LONGEST_COUNTDOWN_SECONDS)
    nudge(ADVANCE_SAGA, queue=QUEUE, countdown_seconds=countdown, saga_id=claimed.saga_id)
    return True
