"""One call of a step's function, and its result. The engine's one boundary to steps."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog
from django.db import InterfaceError, OperationalError

from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.leases import LeaseLost
from provisioning.contract import RetryableError, Step, StepState, Wait
from provisioning.engine.claim import StepAttempt
from provisioning.engine.step_state import EngineStepState

log = structlog.get_logger(__name__)
LONGEST_BACKOFF_SECONDS: Final = 60.0
_LONGEST_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class StepFailure:
    """The call ended for good. `is_out_of_time`: it might still have worked, so its effect may be there."""

    error: dict[str, str]
    is_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class Reschedule:
    """The call is to be made again after `seconds`; `error` when that is because of one."""

    seconds: float
    reason: str
    error: dict[str, str] | None = None


CallResult: TypeAlias = Wait | RetryableError | StepFailure | None


def call_step(
    function: Callable[[StepState], object], state: EngineStepState, *, step: Step, attempt: StepAttempt
) -> StepFailure | Reschedule | None:
    """Call the function and return how it ended; None: it is done.

    LeaseLost and a database that is away are not the step's failures: they pass through.
    """
    result = _call(function, state)
    if result is None or isinstance(result, StepFailure):
        return result
    # A step is always called once more when its time is up: the wait before ends then, not later.
    seconds_left, deadline = math.inf, step.deadline_seconds
    if state.is_compensating and step.compensation_deadline_seconds is not None:
        deadline = step.compensation_deadline_seconds
    if deadline is not None:
        seconds_left = deadline - (state.now() - attempt.started_at).total_seconds()
    if isinstance(result, Wait):
        if seconds_left <= 0:
            return _give_up(state, _out_of_time(deadline, result.reason), is_out_of_time=True)
        return Reschedule(min(max(result.seconds, 0.0), seconds_left), result.reason)
    error = error_record(result)
    retries = step.retries
    if state.is_compensating and step.compensation_retries is not None:
        retries = step.compensation_retries
    if attempt.failures >= retries:
        return _give_up(state, error)
    if seconds_left <= 0:
        return _give_up(state, _out_of_time(deadline, error["message"]), is_out_of_time=True)
    backoff = min(step.backoff_seconds * 2.0 ** min(attempt.failures, 30), LONGEST_BACKOFF_SECONDS)
    pause = max(backoff, result.after_seconds)
    return Reschedule(min(pause, seconds_left), f"{error['type']}: {error['message']}", error)


def _call(function: Callable[[StepState], object], state: EngineStepState) -> CallResult:
    try:
        result = function(state)
    except (LeaseLost, OperationalError, InterfaceError):
        # Not the step's fault: a failure would compensate what another worker may be completing.
        raise
    except RetryableError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a bug in a step ends in the ledger, not the worker
        return _give_up(state, error_record(error), cause=error)
    if result is None or isinstance(result, Wait):
        return result
    return StepFailure(
        {"type": "TypeError", "message": f"returned {type(result).__name__}, not None or Wait"}
    )


def _give_up(
    state: EngineStepState,
    error: dict[str, str],
    *,
    is_out_of_time: bool = False,
    cause: Exception | None = None,
) -> StepFailure:
    """Return the failure, and log why the saga turns back from here."""
    log.warning(
        "step_failed",
        saga=state.saga_id,
        step_idx=state.step_idx,
        error=f"{error['type']}: {error['message']}",
        exc_info=cause,
    )
    return StepFailure(error, is_out_of_time=is_out_of_time)


def _out_of_time(deadline: float | None, last: str) -> dict[str, str]:
    return {"type": "OutOfTime", "message": f"not done within {deadline} s: {last}"}


def error_record(error: BaseException) -> dict[str, str]:
    """Return type and message for the ledger."""
    return {"type": type(error).__name__, "message": describe(error)[:_LONGEST_MESSAGE]}
