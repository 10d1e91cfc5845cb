"""One call of a step's function, and what came of it. The engine's one boundary to steps."""

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
class Failed:
    """The call ended for good. `is_out_of_time`: it might still have worked, so its effect may be there."""

    error: dict[str, str]
    is_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class Reschedule:
    """The call is to be made again after `seconds`; `error` when that is because of one."""

    seconds: float
    reason: str
    error: dict[str, str] | None = None


Answer: TypeAlias = Wait | RetryableError | Failed | None


def call_step(
    function: Callable[[StepState], object], state: EngineStepState, *, step: Step, entry: StepAttempt
) -> Failed | Reschedule | None:
    """Call it, and say what came of it; None: it is done.

    LeaseLost and a database that is away are not the step's failures: they pass through.
    """
    answer = _answer(function, state)
    if answer is None or isinstance(answer, Failed):
        return answer
    seconds_left = _seconds_left(step, entry, state)
    if isinstance(answer, Wait):
        if seconds_left <= 0:
            return Failed(_out_of_time(step, answer.reason), is_out_of_time=True)
        return Reschedule(min(max(answer.seconds, 0.0), seconds_left), answer.reason)
    error = error_record(answer)
    if entry.failures >= _retries(step, state):
        return Failed(error)
    if seconds_left <= 0:
        return Failed(_out_of_time(step, error["message"]), is_out_of_time=True)
    pause = max(_backoff(step, entry.failures), answer.after_seconds)
    return Reschedule(min(pause, seconds_left), f"{error['type']}: {error['message']}", error)


def _answer(function: Callable[[StepState], object], state: EngineStepState) -> Answer:
    try:
        answer = function(state)
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except RetryableError as error:
        return error
    except Exception as error:
        log.warning("step_failed", saga=state.saga_id, step_idx=state.step_idx, exc_info=error)
        return Failed(error_record(error))
    if answer is None or isinstance(answer, Wait):
        return answer
    return Failed({"type": "TypeError", "message": f"returned {type(answer).__name__}, not None or Wait"})


def _retries(step: Step, state: EngineStepState) -> int:
    return (
        step.compensation_retries
        if state.is_compensating and step.compensation_retries is not None
        else step.retries
    )


def _seconds_left(step: Step, entry: StepAttempt, state: EngineStepState) -> float:
    """A step is always looked at once more when its time is up: the wait before ends then, not later."""
    if step.deadline_seconds is None:
        return math.inf
    return step.deadline_seconds - (state.now() - entry.started_at).total_seconds()


def _backoff(step: Step, failures: int) -> float:
    return min(step.backoff_seconds * 2.0 ** min(failures, 30), LONGEST_BACKOFF_SECONDS)


def _out_of_time(step: Step, last: str) -> dict[str, str]:
    return {"type": "OutOfTime", "message": f"not done within {step.deadline_seconds} s: {last}"}


def error_record(error: BaseException) -> dict[str, str]:
    """Return type and message for the ledger."""
    return {"type": type(error).__name__, "message": describe(error)[:_LONGEST_MESSAGE]}
