"""The entry point: advance one saga as far as it goes, or one after the other while any is due."""

import time
from typing import Final

import structlog
from django.db import InterfaceError, OperationalError, connection
from structlog.contextvars import get_contextvars

from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.log_context import log_context
from arcadia_cloud.kernel.queue.wake import clear_wake_flag, wake
from provisioning import registry
from provisioning.engine.claim import MOST_RECOVERIES, ClaimedSaga, claim
from provisioning.engine.compensation import compensate_steps
from provisioning.engine.dead_letters import move_to_dead_letters
from provisioning.engine.execution import execute_steps
from provisioning.engine.lease import lease_renewer
from provisioning.engine.saga_counts import count_end
from provisioning.queue import ADVANCE_DUE_SAGAS, QUEUE
from provisioning.scheduled_start import begin_if_due
from provisioning.states import AdvanceOutcome, Direction

log = structlog.get_logger(__name__)
_ENDS: Final = frozenset({AdvanceOutcome.COMPLETED, AdvanceOutcome.FAILED, AdvanceOutcome.ROLLED_BACK})


def run(saga_id: int) -> AdvanceOutcome:
    """Advance the saga until it ends, waits or is interrupted. Safe at any time, any number of times at once.

    Must be called outside a transaction: a step's effect must be recorded before the next one begins.
    """
    return _run(saga_id)


def run_due(*, seconds: float) -> int:
    """Advance one saga after the other, those first that have been due the longest; return how many.

    Looks for more until none is due. After `seconds` it asks for another worker's turn instead, and so
    leaves what comes in the meantime to any that is free; before it advances one that may take long, too, or
    one answer that is late would hold up all that are due while others are free. Safe as `run` is.
    """
    # Cleared first: a saga that becomes due after the last look then wakes a worker again.
    clear_wake_flag(ADVANCE_DUE_SAGAS)
    until = time.monotonic() + seconds
    advanced = 0
    while time.monotonic() < until:
        outcome = _run(None)
        if outcome == AdvanceOutcome.NOT_DUE:
            return advanced
        advanced += 1
        # By a database that is away, most likely: the sweep comes back to the rest.
        if outcome == AdvanceOutcome.INTERRUPTED:
            return advanced
    wake(ADVANCE_DUE_SAGAS, queue=QUEUE)
    return advanced


def _run(saga_id: int | None) -> AdvanceOutcome:
    # Inside a transaction a step's effect could be rolled back in the ledger, and stay at the provider.
    if connection.in_atomic_block:
        raise RuntimeError("a saga can't be advanced inside a transaction")
    claimed: ClaimedSaga | None = None
    try:
        claimed = claim(saga_id)
        # A scheduled saga can't be claimed before it has taken its subjects.
        if claimed is None and saga_id is not None and begin_if_due(saga_id):
            claimed = claim(saga_id)
        if claimed is None:
            return AdvanceOutcome.NOT_DUE
        # A step that does more than compute may wait for another service: others take what else is due.
        steps = map(registry.step_named, claimed.steps)
        if saga_id is None and any(step is None or not step.is_pure for step in steps):
            wake(ADVANCE_DUE_SAGAS, queue=QUEUE)
        # One wake advances many sagas, and carries the names of the request that caused the first.
        task = {name: value for name, value in get_contextvars().items() if name == "task_id"}
        with log_context(saga=claimed.saga_id, tenant=claimed.tenant_id, **task):
            return _advance(claimed)
    except (LeaseLost, OperationalError, InterfaceError) as error:
        # Nothing is written: the lease expires by itself, and the sweep finds the saga.
        interrupted = saga_id if claimed is None else claimed.saga_id
        log.warning(
            "saga_interrupted", saga=interrupted, error=type(error).__name__, detail=str(error).strip()
        )
        return AdvanceOutcome.INTERRUPTED


def _advance(claimed: ClaimedSaga) -> AdvanceOutcome:
    lease_renewer.add(claimed.saga_id, claimed.token)
    try:
        if claimed.recoveries > MOST_RECOVERIES:
            outcome = move_to_dead_letters(claimed, "recovered_too_often")
        elif claimed.direction == Direction.FORWARD:
            outcome = execute_steps(claimed)
        else:
            outcome = compensate_steps(claimed)
    finally:
        lease_renewer.remove(claimed.saga_id, claimed.token)
    if outcome in _ENDS:
        seconds = count_end(claimed, outcome)
        log.info(
            "saga_ended",
            saga=claimed.saga_id,
            kind=claimed.kind,
            outcome=str(outcome),
            duration_ms=round(seconds * 1000),
        )
    return outcome
