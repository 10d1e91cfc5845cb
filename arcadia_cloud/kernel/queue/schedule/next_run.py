"""When the schedule's tasks run next: read from the rows that beat goes by, which operators change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.queue.schedule.times import next_due


@dataclass(frozen=True, slots=True)
class NextRun:
    """The next run of a scheduled task, UTC; `at` is None where its entry is switched off or has no time."""

    task: str
    mode: str  # of a task that takes one, else empty
    at: datetime | None


def next_runs(tasks: Iterable[str], *, at: datetime) -> list[NextRun]:
    """Return the next run after `at` of each entry of these tasks. One query."""
    rows = PeriodicTask.objects.filter(Q(task__in=list(tasks))).select_related("crontab", "interval")
    return [NextRun(row.task, _mode_of(row), _next_run_of(row, at)) for row in rows.order_by("name")]


def describe_next_run(runs: Sequence[NextRun], task: str, *, at: datetime, mode: str = "") -> str:
    """Return when a task runs next, in words: `next at 02:23 UTC`."""
    entries = [run for run in runs if run.task == task and run.mode == mode]
    times = [run.at for run in entries if run.at is not None]
    if not times:
        return "switched off in the schedule" if entries else "not in the schedule"
    soonest = min(times)
    day = "" if soonest - at < timedelta(days=1) else f" on {soonest:%-d %b}"
    return f"next{day} at {soonest:%H:%M} UTC"


def _next_run_of(row: PeriodicTask, at: datetime) -> datetime | None:
    if not row.enabled:
        return None
    # An interval counts from the last run, a time of the day from now.
    due = next_due(row, after=at if row.crontab else row.last_run_at or at)
    # What is overdue runs as soon as beat looks.
    return None if due is None else max(at, due)


def _mode_of(row: PeriodicTask) -> str:
    """Return the `mode` among the task's arguments; what an operator typed may be no JSON."""
    try:
        arguments = json.loads(row.kwargs or "{}")
    except ValueError:
        return ""
    return str(arguments.get("mode", "")) if isinstance(arguments, dict) else ""
