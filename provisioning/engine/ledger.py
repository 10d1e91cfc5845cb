"""The engine's writes. Each is one statement, fenced: the lease's token must match and not have expired.

All raise LeaseLost where the fence refuses them; nothing is written then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.sql import Statement, fetch_one, load
from provisioning import registry
from provisioning.engine.claim import ClaimedSaga, StepAttempt
from provisioning.states import StepStatus

T = TypeVar("T")
_COMPLETE_STEP: Final = load(__package__, "complete_step.sql")
_SCHEDULE_WAKE: Final = load(__package__, "schedule_wake.sql")
_RECORD_COMPENSATION: Final = load(__package__, "record_compensation.sql")
_RELEASE_UNKNOWN_STEP: Final = load(__package__, "release_unknown_step.sql")
_MOVE_TO_DEAD_LETTERS: Final = load(__package__, "move_to_dead_letters.sql")


@dataclass(frozen=True, slots=True)
class StepCompletion:
    """The saga after a step. `next_attempt` is the next step's, None where it was not entered."""

    is_paused: bool
    cancel_requested: bool
    next_attempt: StepAttempt | None


@dataclass(frozen=True, slots=True)
class _CompletionRow:
    is_paused: bool
    cancel_requested: bool
    next_began_at: datetime | None


def complete_step(
    claimed: ClaimedSaga, outputs: Mapping[str, Any], *, next_step: str | None
) -> StepCompletion:
    """Record the step and enter `next_step`, unless the saga is to be cancelled or everything is paused.

    After the last step the saga is completed, even if it was to be cancelled: that is looked at between
    steps only, so that what has no way back may come last.
    """
    # Two pure steps may be done again at no risk: their commit needn't wait for the disk.
    pair = [registry.step_named(name) for name in claimed.steps[claimed.step_idx : claimed.step_idx + 2]]
    row = _run_fenced(
        _COMPLETE_STEP,
        claimed,
        _CompletionRow,
        outputs=_encode(outputs),
        step_idx=claimed.step_idx,
        is_last=claimed.step_idx + 1 == len(claimed.steps),
        next=next_step,
        may_be_repeated=all(step is not None and step.is_pure for step in pair),
    )
    began_at = row.next_began_at
    attempt = None if began_at is None else StepAttempt(1, 0, began_at, began_at, None, began_at)
    return StepCompletion(row.is_paused, row.cancel_requested, attempt)


def schedule_wake(
    claimed: ClaimedSaga,
    outputs: Mapping[str, Any],
    *,
    seconds: float,
    reason: str,
    error: Mapping[str, Any] | None,
) -> bool:
    """Release the saga until `seconds` from now; True when it is to be cancelled instead and stays claimed.

    `error` is the retryable one that the pause follows; None: the step itself asked for it.
    """
    return _run_fenced(
        _SCHEDULE_WAKE,
        claimed,
        bool,
        outputs=_encode(outputs),
        step_idx=claimed.step_idx,
        seconds=seconds,
        reason=reason,
        error=None if error is None else _encode(error),
    )


@dataclass(frozen=True, slots=True)
class StepEnd:
    """The end of a step that did not complete, or of its compensation. `error` None: nothing went wrong."""

    status: StepStatus
    error: Mapping[str, Any] | None
    outputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedCompensation:
    """The saga after a compensation was recorded. `next_attempt` is None where the next was not entered."""

    is_paused: bool
    next_attempt: StepAttempt | None


@dataclass(frozen=True, slots=True)
class _CompensationRow:
    is_paused: bool
    next_began_at: datetime | None
    execute_began_at: datetime | None
    execute_started_at: datetime | None


def record_compensation(
    claimed: ClaimedSaga,
    end: StepEnd,
    *,
    next_idx: int | None,
    enter: bool,
    saga_error: Mapping[str, Any] | None = None,
) -> RecordedCompensation:
    """Record the end and enter the compensation of `next_idx`; None: the saga ends rolled back.

    `saga_error` is given when the compensation starts.
    """
    row = _run_fenced(
        _RECORD_COMPENSATION,
        claimed,
        _CompensationRow,
        outputs=_encode(end.outputs),
        step_idx=claimed.step_idx,
        status=str(end.status),
        error=None if end.error is None else _encode(end.error),
        next_idx=next_idx,
        enter=enter,
        saga_error=None if saga_error is None else _encode(saga_error),
    )
    attempt = None
    if enter and not row.is_paused and row.next_began_at is not None and row.execute_started_at is not None:
        began_at = row.next_began_at
        attempt = StepAttempt(1, 0, began_at, began_at, row.execute_began_at, row.execute_started_at)
    return RecordedCompensation(row.is_paused, attempt)


def release_unknown_step(claimed: ClaimedSaga, reason: str) -> None:
    """Release the saga, due at once for another build."""
    _run_fenced(_RELEASE_UNKNOWN_STEP, claimed, int, reason=reason)


def move_to_dead_letters(claimed: ClaimedSaga, error: Mapping[str, Any]) -> None:
    """End the saga as failed, until an operator acts."""
    _run_fenced(_MOVE_TO_DEAD_LETTERS, claimed, int, error=_encode(error))


def _run_fenced(statement: Statement, claimed: ClaimedSaga, into: type[T], **parameters: Any) -> T:
    parameters |= {"saga_id": claimed.saga_id, "token": claimed.token}
    row = fetch_one(statement, parameters, into=into, prepared=True)
    # The fence: another worker claimed the saga meanwhile, or its lease expired on the database's clock.
    if row is None:
        raise LeaseLost(f"the lease of saga {claimed.saga_id} expired while it was being advanced")
    return row


def _encode(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
