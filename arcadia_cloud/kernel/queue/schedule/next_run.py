"""When the schedule's tasks run next: read from the rows that beat goes by, which operators change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

_UNITS: Final = {
    IntervalSchedule.DAYS: timedelta(days=1),
    IntervalSchedule.HOURS: timedelta(hours=1),
    IntervalSchedule.MINUTES: timedelta(minutes=1),
    IntervalSchedule.SECONDS: timedelta(seconds=1),
    IntervalSchedule.MICROSECONDS: timedelta(microseconds=1),
}


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
    if row.interval is not None:
        every = row.interval.every * _UNITS[row.interval.period]
        # What is overdue runs as soon as beat looks.
        due: datetime = (row.last_run_at or at) + every
        return max(at, due)
    return None if row.crontab is None else _next_time_of(row.crontab, at)


def _next_time_of(crontab: CrontabSchedule, at: datetime) -> datetime:
    schedule = crontab.schedule
    # The library asks its own clock; with ours, the answer is of the instant that the page shows.
    schedule.nowfun = lambda: at
    since, delta, _now = schedule.remaining_delta(at)
    found: datetime = since + delta
    return found.astimezone(UTC)


def _mode_of(row: PeriodicTask) -> str:
    """Return the `mode` among the task's arguments; what an operator typed may be no JSON."""
    try:
        arguments = json.loads(row.kwargs or "{}")
    except ValueError:
        return ""
    return str(arguments.get("mode", "")) if isinstance(arguments, dict) else ""
