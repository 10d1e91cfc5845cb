"""The engine's writes. Each is one statement, fenced: the lease's token must match and not have run out.

All raise LeaseLost where the fence holds them back; nothing is written then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arcadia_cloud.kernel.leases import LeaseLost
from provisioning import registry
from provisioning.engine.claim import ClaimedSaga, StepAttempt
from provisioning.statements import one_row, statement
from provisioning.states import StepStatus

_COMPLETE_STEP = statement("complete_step.sql")
_LET_WAIT = statement("schedule_wake.sql")
_GO_BACK = statement("record_compensation.sql")
_DEAD_LETTER = statement("dead_letter.sql")


@dataclass(frozen=True, slots=True)
class StepCompletion:
    """What the saga is to do after a step. `entry` is the next one's, None where it was not entered."""

    is_paused: bool
    cancel_requested: bool
    entry: StepAttempt | None


def complete_step(held: ClaimedSaga, outputs: Mapping[str, Any], *, next_step: str | None) -> StepCompletion:
    """Record the step and enter `next_step`, unless the saga is to be cancelled or everything is paused.

    After the last step the saga is completed, even if it was to be cancelled: that is looked at between
    steps only, so that what has no way back may come last.
    """
    is_last = held.step_idx + 1 == len(held.steps)
    paused, cancel_requested, began_at, _ = _fenced(
        _COMPLETE_STEP,
        held,
        outputs=_json(outputs),
        step_idx=held.step_idx,
        is_last=is_last,
        next=next_step,
        may_be_repeated=_may_be_repeated(held),
    )
    entry = None if began_at is None else StepAttempt(1, 0, began_at, began_at, None, began_at)
    return StepCompletion(paused, cancel_requested, entry)


def _may_be_repeated(held: ClaimedSaga) -> bool:
    """Whether this step and the next, if there is one, are pure."""
    steps = [registry.step_named(name) for name in held.steps[held.step_idx : held.step_idx + 2]]
    return all(step is not None and step.is_pure for step in steps)


def schedule_wake(
    held: ClaimedSaga,
    outputs: Mapping[str, Any],
    *,
    seconds: float,
    reason: str,
    error: Mapping[str, Any] | None,
) -> bool:
    """Let the saga go until `seconds` from now; True when it is to be cancelled instead and stays in hand.

    `error` is the retryable one that the pause follows; None: the step itself asked for it.
    """
    (is_to_be_cancelled,) = _fenced(
        _LET_WAIT,
        held,
        outputs=_json(outputs),
        step_idx=held.step_idx,
        seconds=seconds,
        reason=reason,
        error=None if error is None else _json(error),
    )
    return bool(is_to_be_cancelled)


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step that did not complete, or its undo, ended. `error` None: nothing went wrong."""

    status: StepStatus
    error: Mapping[str, Any] | None
    outputs: Mapping[str, Any]


def record_compensation(
    held: ClaimedSaga,
    end: StepEnd,
    *,
    next_idx: int | None,
    enter: bool,
    saga_error: Mapping[str, Any] | None = None,
) -> tuple[bool, StepAttempt | None]:
    """Record the end and enter the undo of `next_idx`; None: the saga ends rolled back.

    `saga_error` is given when the saga turns back. Return whether everything is paused, and the entry.
    """
    paused, began_at, executed_at, first_began_at = _fenced(
        _GO_BACK,
        held,
        outputs=_json(end.outputs),
        step_idx=held.step_idx,
        status=str(end.status),
        error=None if end.error is None else _json(end.error),
        next_idx=next_idx,
        enter=enter,
        saga_error=None if saga_error is None else _json(saga_error),
    )
    if paused or not enter or next_idx is None:
        return paused, None
    return paused, StepAttempt(1, 0, began_at, began_at, executed_at, first_began_at)


def dead_letter(held: ClaimedSaga, error: Mapping[str, Any]) -> None:
    """Give the saga up until an operator settles it."""
    _fenced(_DEAD_LETTER, held, error=_json(error))


def _fenced(sql: str, held: ClaimedSaga, **parameters: Any) -> tuple[Any, ...]:
    row = one_row(sql, {"saga_id": held.saga_id, "token": held.token, **parameters})
    if row is None:
        raise LeaseLost(f"the lease of saga {held.saga_id} ran out while it was being walked")
    return row


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
