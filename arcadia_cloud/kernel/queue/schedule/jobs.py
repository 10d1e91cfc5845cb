"""An operator's changes of the schedule: switch a job on or off, move it, run it now."""

import inspect
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.errors import Conflict, NotFound
from arcadia_cloud.kernel.queue.job_runs import record_request
from arcadia_cloud.kernel.queue.job_signals import JOB_HEADER
from arcadia_cloud.kernel.queue.nudge import publish_now
from arcadia_cloud.kernel.queue.schedule.times import Timing, schedule_rows, timing_of, validate_timing

_PUBLISH_OPTIONS: Final = inspect.signature(publish_now).parameters.keys() - {"kwargs"}


class TaskNotSendable(Conflict):
    """A row of the schedule can't be sent as it stands; the text has the reason."""

    code = "task_not_sendable"


@dataclass(frozen=True, slots=True)
class JobChange:
    """A changed job, with the old and the new value in words; they are equal if nothing changed."""

    task: PeriodicTask
    old: str
    new: str


@transaction.atomic
def switch_job(pk: int, *, enabled: bool) -> JobChange:
    """Switch a job on or off. One that is switched on begins with its next time. Raises NotFound."""
    task = _lock(pk)
    change = JobChange(task, _switch_words(task.enabled), _switch_words(enabled))
    if task.enabled != enabled:
        task.enabled = enabled
        task.save()
    return change


@transaction.atomic
def move_job(pk: int, timing: Timing, *, at: datetime) -> JobChange:
    """Give a job another time; others keep theirs. Raises NotFound, InvalidInput (names the field)."""
    validate_timing(timing)
    task = _lock(pk)
    old = timing_of(task)
    change = JobChange(task, old.words if old else str(task.scheduler), timing.words)
    if old != timing:
        for column, row in schedule_rows(timing).items():
            setattr(task, column, row)
        # Counted from now: a time of today that has passed isn't made up for at once.
        task.last_run_at = at
        task.save()
    return change


def run_job(pk: int, *, actor: str, at: datetime) -> PeriodicTask:
    """Ask a worker to run a job now, beside its schedule, switched off or not.

    Raises NotFound, TaskNotSendable, and BrokerAway.
    """
    task = PeriodicTask.objects.filter(pk=pk).first()
    if task is None:
        raise _missing_job()
    arguments = read_arguments(task)
    message_id = str(uuid4())
    publish_now(
        task.task,
        queue=task.queue or None,
        message_id=message_id,
        headers={JOB_HEADER: task.name},
        **arguments,
    )
    # After it is sent: a row of what was never sent would stay unanswered.
    record_request(task_id=message_id, job=task.name, actor=actor, at=at)
    return task


def read_arguments(task: PeriodicTask) -> dict[str, Any]:
    """Read the task's keyword arguments. Raises TaskNotSendable where sending would fail or do harm."""
    if task.queue and task.queue not in settings.QUEUES:
        raise TaskNotSendable(f"there is no queue {task.queue!r}; there are {', '.join(settings.QUEUES)}.")
    try:
        positional, named = json.loads(task.args or "[]"), json.loads(task.kwargs or "{}")
    except ValueError as error:
        raise TaskNotSendable(f"its arguments are no JSON: {error}.") from error
    if positional:
        raise TaskNotSendable("it has positional arguments; give them by name, as keyword arguments.")
    if not isinstance(named, dict):
        raise TaskNotSendable("its keyword arguments must be a JSON object.")
    if taken := sorted(_PUBLISH_OPTIONS & named.keys()):
        raise TaskNotSendable(f"a keyword argument can't be named {', '.join(taken)}.")
    return named


def _lock(pk: int) -> PeriodicTask:
    # Two operators at once: the second sees the first's value as the old one, and so does the log.
    tasks = PeriodicTask.objects.select_for_update(of=("self",)).select_related("crontab", "interval")
    task = tasks.filter(pk=pk).first()
    if task is None:
        raise _missing_job()
    return task


def _missing_job() -> NotFound:
    return NotFound("There is no such job any more.")


def _switch_words(is_on: bool) -> str:
    return "on" if is_on else "off"
