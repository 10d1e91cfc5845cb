"""The way in: walk one saga as far as it goes, or one after the other while any is due."""

import time

import structlog
from django.db import InterfaceError, OperationalError, connection

from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.queue.wake import clear_wake_flag, wake
from provisioning import registry
from provisioning.engine.claim import MOST_RECOVERIES, ClaimedSaga, claim
from provisioning.engine.compensation import compensate_steps
from provisioning.engine.execution import execute_steps
from provisioning.engine.lease import keeper
from provisioning.engine.suspension import QUEUE, WALK_DUE, move_to_dead_letters
from provisioning.states import AdvanceOutcome, Direction

log = structlog.get_logger(__name__)


def run(saga_id: int) -> AdvanceOutcome:
    """Walk the saga until it ends, waits or is let go. Safe to call at any time, any number of times at once.

    Must be called outside a transaction: what a step did must be known before the next one begins.
    """
    return _run(saga_id)


def run_due(*, seconds: float) -> int:
    """Walk one saga after the other, those first that have been due the longest; return how many.

    Looks for more until none is due. After `seconds` it asks for another worker's turn instead, and so
    leaves what comes in the meantime to whoever is free; before it walks one that may take long, too, or
    one answer that is late would hold up all that are due while others are free. Safe as `run` is.
    """
    clear_wake_flag(WALK_DUE)
    until = time.monotonic() + seconds
    walked = 0
    while time.monotonic() < until:
        walk = _run(None)
        if walk == AdvanceOutcome.NOT_DUE:
            return walked
        walked += 1
        if (
            walk == AdvanceOutcome.LET_GO
        ):  # by a database that is away, most likely: the sweep comes back to the rest
            return walked
    wake(WALK_DUE, queue=QUEUE)
    return walked


def _run(saga_id: int | None) -> AdvanceOutcome:
    if connection.in_atomic_block:
        raise RuntimeError("a saga can't be walked inside a transaction")
    held: ClaimedSaga | None = None
    try:
        held = claim(saga_id)
        if held is None:
            return AdvanceOutcome.NOT_DUE
        if saga_id is None and _may_take_long(held):
            wake(WALK_DUE, queue=QUEUE)
        return _kept(held)
    except (LeaseLost, OperationalError, InterfaceError) as error:
        found = saga_id if held is None else held.saga_id
        log.warning("saga_let_go", saga=found, error=type(error).__name__, detail=str(error).strip())
        return AdvanceOutcome.LET_GO


def _may_take_long(held: ClaimedSaga) -> bool:
    """Whether any of its steps does more than compute: it may wait for somebody's answer."""
    steps = map(registry.step_named, held.steps)
    return any(step is None or not step.is_pure for step in steps)


def _kept(held: ClaimedSaga) -> AdvanceOutcome:
    keeper.keep(held.saga_id, held.token)
    try:
        return _walk(held)
    finally:
        keeper.drop(held.saga_id, held.token)


def _walk(held: ClaimedSaga) -> AdvanceOutcome:
    if held.recoveries > MOST_RECOVERIES:
        return move_to_dead_letters(held, "recovered_too_often")
    return execute_steps(held) if held.direction == Direction.FORWARD else compensate_steps(held)
