"""Sagas and their steps as an operator reads them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from arcadia_cloud.kernel.console.formatting import NOTHING, duration
from provisioning.models import SagaRun, SagaStepResult
from provisioning.states import LIVE, Direction, SagaStatus, StepStatus

UNDO_INCOMPLETE: Final = "undo incomplete"
SCHEDULED: Final = "scheduled"
STATUS_COLOURS: Final[Mapping[str, str]] = {
    SCHEDULED: "info",
    "running": "info",
    "waiting": "info",
    "rolling back": "warning",
    "completed": "success",
    "dead letter": "danger",
    "rolled back": "warning",
    f"rolling back, {UNDO_INCOMPLETE}": "danger",
    f"rolled back, {UNDO_INCOMPLETE}": "danger",
}
_STATUS_LABELS: Final[Mapping[str, str]] = {
    SagaStatus.COMPENSATING: "rolling back",
    SagaStatus.FAILED: "dead letter",
    SagaStatus.ROLLED_BACK: "rolled back",
}
_STEP_LABELS: Final[Mapping[str, str]] = {
    StepStatus.COMPENSATED: "undone",
    StepStatus.COMPENSATION_FAILED: "undo failed",
}
_COMPENSATION_LABELS: Final[Mapping[str, str]] = {
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
    """A beginning, and the duration since, up to its end or so far."""

    began_at: datetime
    duration: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step on the timeline. `errors` pairs what failed ("" the step itself, or "undo") with its message."""

    number: int
    name: str
    status: str
    colour: str
    is_begun: bool
    execution: Span | None
    compensation: Span | None
    attempts: str
    waits_for: str
    resumes_at: datetime | None
    errors: list[tuple[str, str]]
    output: str


def status_text(saga: SagaRun) -> str:
    """Return its status, and, which the bare status doesn't show, that not everything could be undone."""
    if saga.is_scheduled:
        return SCHEDULED
    label = str(_STATUS_LABELS.get(saga.status, saga.status))
    is_backward = saga.status in {SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK}
    return f"{label}, {UNDO_INCOMPLETE}" if is_backward and saga.compensation_failures else label


def progress_label(saga: SagaRun) -> str:
    """Return its progress, as `3 of 7: resize_droplet`."""
    total = len(saga.step_modules)
    if saga.status == SagaStatus.COMPLETED:
        return f"all {total}"
    if saga.status == SagaStatus.ROLLED_BACK:
        return NOTHING
    # A completed saga's index is past its last step; one that compensates stands at it, too.
    at = min(saga.current_step_idx, total - 1)
    return f"{at + 1} of {total}: {saga.step_modules[at]}"


def status_reason(saga: SagaRun) -> str:
    """Return what it waits for, or why it is compensated or stopped."""
    if saga.is_scheduled:
        begins = f"begins at {saga.start_at:%-d %b %Y, %H:%M} UTC"
        return f"{begins}; {saga.wait_reason}" if saga.wait_reason else begins
    if saga.wake_at is not None and saga.status in LIVE:
        return saga.wait_reason
    what, _, name = str((saga.error or {}).get("reason") or "").partition(":")
    label = what.replace("_", " ")
    detail = name or (saga.error or {}).get("message", "")
    return f"{label}: {detail}" if detail else label


def timeline(saga: SagaRun, *, now: datetime) -> list[StepLine]:
    """Return every step of the saga, also those to come; `now` ends what is running. One query."""
    begun = {step.step_idx: step for step in saga.steps.order_by("step_idx")}
    return [
        _begun_line(saga, begun[idx], now) if idx in begun else _future_line(saga, idx, name)
        for idx, name in enumerate(saga.step_modules)
    ]


def _future_line(saga: SagaRun, idx: int, name: str) -> StepLine:
    is_to_come = saga.status in LIVE and saga.direction == Direction.FORWARD
    return StepLine(
        number=idx + 1,
        name=name,
        status="to come" if is_to_come else "not begun",
        colour="",
        is_begun=False,
        execution=None,
        compensation=None,
        attempts="",
        waits_for="",
        resumes_at=None,
        errors=[],
        output="",
    )


def _begun_line(saga: SagaRun, step: SagaStepResult, now: datetime) -> StepLine:
    is_compensating = saga.direction == Direction.BACKWARD and step.compensation_started_at is not None
    labels = _COMPENSATION_LABELS if is_compensating else _STEP_LABELS
    is_here = step.step_idx == saga.current_step_idx and saga.status in LIVE
    is_running = is_here and step.finished_at is None
    counts = ((step.attempts, "attempts"), (step.compensation_attempts, "attempts to undo"))
    error = step.error or {}
    errors = (("", error), ("undo", error.get("compensation") or {}))
    return StepLine(
        number=step.step_idx + 1,
        name=step.name,
        status=labels.get(step.status, _STEP_LABELS.get(step.status, step.status)),
        colour=_STEP_COLOURS.get(step.status, ""),
        is_begun=True,
        execution=_span(step.started_at, step.finished_at, now if is_running else None),
        compensation=_span(
            step.compensation_started_at, step.compensation_finished_at, now if is_here else None
        ),
        attempts=", ".join(f"{count} {what}" for count, what in counts if count > 1),
        waits_for=saga.wait_reason if is_here and saga.wake_at else "",
        resumes_at=saga.wake_at if is_here else None,
        errors=[(what, f"{each['type']}: {each['message']}") for what, each in errors if "message" in each],
        output=json.dumps(step.output, ensure_ascii=False) if step.output else "",
    )


def _span(began_at: datetime | None, ended_at: datetime | None, now: datetime | None) -> Span | None:
    if began_at is None:
        return None
    until = ended_at or now
    return Span(began_at, duration(until - began_at) if until else "")


def duration_label(saga: SagaRun, *, now: datetime) -> str:
    """Return its duration, or so far; a dash before it has begun."""
    if saga.started_at is None:
        return NOTHING
    return duration((saga.finished_at or now) - saga.started_at)


def worker_label(saga: SagaRun) -> str:
    """Return its worker, and how often it was taken over; "" without either."""
    until = saga.lease_expires_at
    holder = f"{saga.lease_holder}, until {until:%H:%M:%S} UTC at the latest" if until else ""
    lost = f"taken over {saga.recoveries} times from a worker that died" if saga.recoveries else ""
    return "; ".join(part for part in (holder, lost) if part)
