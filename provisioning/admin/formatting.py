"""How sagas and their steps look to an operator."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from arcadia_cloud.kernel.console.formatting import NOTHING, duration
from provisioning.models import SagaRun, SagaStepResult
from provisioning.states import LIVE, Direction, SagaStatus, StepStatus

UNDO_INCOMPLETE: Final = "undo incomplete"
STATUS_COLOURS: Final[Mapping[str, str]] = {
    "running": "info",
    "waiting": "info",
    "rolling back": "warning",
    "completed": "success",
    "dead letter": "danger",
    "rolled back": "warning",
    f"rolling back, {UNDO_INCOMPLETE}": "danger",
    f"rolled back, {UNDO_INCOMPLETE}": "danger",
}
_STATUS_WORDS: Final[Mapping[str, str]] = {
    SagaStatus.COMPENSATING: "rolling back",
    SagaStatus.FAILED: "dead letter",
    SagaStatus.ROLLED_BACK: "rolled back",
}
_STEP_WORDS: Final[Mapping[str, str]] = {
    StepStatus.COMPENSATED: "undone",
    StepStatus.COMPENSATION_FAILED: "undo failed",
}
_UNDO_WORDS: Final[Mapping[str, str]] = {
    StepStatus.RUNNING: "being undone",
    StepStatus.WAITING: "waits to be undone",
}
_STEP_COLOURS: Final[Mapping[str, str]] = {
    StepStatus.RUNNING: "info",
    StepStatus.WAITING: "info",
    StepStatus.COMPLETED: "success",
    StepStatus.FAILED: "danger",
    StepStatus.COMPENSATION_FAILED: "danger",
}


@dataclass(frozen=True, slots=True)
class Span:
    """When something began, and how long it took or has taken so far."""

    began_at: datetime
    took: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step on the timeline. `errors` pairs what failed ("" the step itself, or "undo") with its words."""

    number: int
    name: str
    status: str
    colour: str
    is_begun: bool
    done: Span | None
    undone: Span | None
    tries: str
    waits_for: str
    goes_on_at: datetime | None
    errors: list[tuple[str, str]]
    output: str


def standing(saga: SagaRun) -> str:
    """Its status in words, with what the bare status wouldn't tell: that not everything could be undone."""
    words = str(_STATUS_WORDS.get(saga.status, saga.status))
    going_back = saga.status in {SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK}
    return f"{words}, {UNDO_INCOMPLETE}" if going_back and saga.compensation_failures else words


def place(saga: SagaRun) -> str:
    """Where it stands, as `3 of 7: resize_droplet`."""
    total = len(saga.step_modules)
    if saga.status == SagaStatus.COMPLETED:
        return f"all {total}"
    if saga.status == SagaStatus.ROLLED_BACK:
        return NOTHING
    at = min(saga.current_step_idx, total - 1)
    return f"{at + 1} of {total}: {saga.step_modules[at]}"


def why(saga: SagaRun) -> str:
    """What it waits for, or why it turned back or stopped."""
    if saga.wake_at is not None and saga.status in LIVE:
        return saga.wait_reason
    return reason(saga.error)


def reason(error: Mapping[str, Any] | None) -> str:
    """A saga's error in words."""
    what, _, name = str((error or {}).get("reason") or "").partition(":")
    words = what.replace("_", " ")
    return f"{words}: {name}" if name else words


def timeline(saga: SagaRun, *, now: datetime) -> list[StepLine]:
    """Every step of the saga, also those to come; `now` ends what goes on. One query."""
    begun = {step.step_idx: step for step in saga.steps.order_by("step_idx")}
    return [
        _begun(saga, begun[idx], now) if idx in begun else _not_begun(saga, idx, name)
        for idx, name in enumerate(saga.step_modules)
    ]


def _not_begun(saga: SagaRun, idx: int, name: str) -> StepLine:
    is_to_come = saga.status in LIVE and saga.direction == Direction.FORWARD
    return StepLine(
        number=idx + 1,
        name=name,
        status="to come" if is_to_come else "not begun",
        colour="",
        is_begun=False,
        done=None,
        undone=None,
        tries="",
        waits_for="",
        goes_on_at=None,
        errors=[],
        output="",
    )


def _begun(saga: SagaRun, step: SagaStepResult, now: datetime) -> StepLine:
    is_undoing = saga.direction == Direction.BACKWARD and step.compensation_started_at is not None
    words = _UNDO_WORDS if is_undoing else _STEP_WORDS
    is_here = step.step_idx == saga.current_step_idx and saga.status in LIVE
    goes_on = is_here and step.finished_at is None
    return StepLine(
        number=step.step_idx + 1,
        name=step.name,
        status=words.get(step.status, _STEP_WORDS.get(step.status, step.status)),
        colour=_STEP_COLOURS.get(step.status, ""),
        is_begun=True,
        done=_span(step.started_at, step.finished_at, now if goes_on else None),
        undone=_span(step.compensation_started_at, step.compensation_finished_at, now if is_here else None),
        tries=_tries(step),
        waits_for=saga.wait_reason if is_here and saga.wake_at else "",
        goes_on_at=saga.wake_at if is_here else None,
        errors=_errors(step.error),
        output=json.dumps(step.output, ensure_ascii=False) if step.output else "",
    )


def _span(began_at: datetime | None, ended_at: datetime | None, now: datetime | None) -> Span | None:
    if began_at is None:
        return None
    until = ended_at or now
    return Span(began_at, duration(until - began_at) if until else "")


def _tries(step: SagaStepResult) -> str:
    counts = ((step.attempts, "attempts"), (step.compensation_attempts, "attempts to undo"))
    return ", ".join(f"{count} {words}" for count, words in counts if count > 1)


def _errors(error: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    error = error or {}
    pairs = (("", error), ("undo", error.get("compensation") or {}))
    return [(what, f"{held['type']}: {held['message']}") for what, held in pairs if "message" in held]


def took(saga: SagaRun, *, now: datetime) -> str:
    """How long it took, or has taken so far; a dash when nobody has begun it."""
    if saga.started_at is None:
        return NOTHING
    return duration((saga.finished_at or now) - saga.started_at)


def walked_by(saga: SagaRun) -> str:
    """Who walks it now, and how often it was taken over; "" while nobody does and nobody had to."""
    until = saga.lease_expires_at
    holder = f"{saga.lease_holder}, until {until:%H:%M:%S} at the latest" if until else ""
    lost = f"taken over {saga.recoveries} times from a worker that died" if saga.recoveries else ""
    return "; ".join(words for words in (holder, lost) if words)
