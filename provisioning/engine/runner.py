"""The way in: walk one saga as far as it goes, or one after the other while any is due."""

import time

import structlog
from django.db import InterfaceError, OperationalError, connection

from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.queue.nudge import wake, woken
from provisioning import registry
from provisioning.engine.claim import MOST_RECOVERIES, Held, claim
from provisioning.engine.compensation import walk_back
from provisioning.engine.execution import walk_forward
from provisioning.engine.lease import keeper
from provisioning.engine.suspension import QUEUE, WALK_DUE, give_up
from provisioning.states import Direction, Walk

log = structlog.get_logger(__name__)


def run(saga_id: int) -> Walk:
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
    woken(WALK_DUE)
    until = time.monotonic() + seconds
    walked = 0
    while time.monotonic() < until:
        walk = _run(None)
        if walk == Walk.NOT_DUE:
            return walked
        walked += 1
        if walk == Walk.LET_GO:  # by a database that is away, most likely: the sweep comes back to the rest
            return walked
    wake(WALK_DUE, queue=QUEUE)
    return walked


def _run(saga_id: int | None) -> Walk:
    if connection.in_atomic_block:
        raise RuntimeError("a saga can't be walked inside a transaction")
    held: Held | None = None
    try:
        held = claim(saga_id)
        if held is None:
            return Walk.NOT_DUE
        if saga_id is None and _may_take_long(held):
            wake(WALK_DUE, queue=QUEUE)
        return _kept(held)
    except (LeaseLost, OperationalError, InterfaceError) as error:
        found = saga_id if held is None else held.saga_id
        log.warning("saga_let_go", saga=found, error=type(error).__name__, detail=str(error).strip())
        return Walk.LET_GO


def _may_take_long(held: Held) -> bool:
    """Whether any of its steps does more than compute: it may wait for somebody's answer."""
    steps = map(registry.step_named, held.steps)
    return any(step is None or not step.is_pure for step in steps)


def _kept(held: Held) -> Walk:
    keeper.keep(held.saga_id, held.token)
    try:
        return _walk(held)
    finally:
        keeper.drop(held.saga_id, held.token)


def _walk(held: Held) -> Walk:
    if held.recoveries > MOST_RECOVERIES:
        return give_up(held, "recovered_too_often")
    return walk_forward(held) if held.direction == Direction.FORWARD else walk_back(held)
