"""The jobs page's rows: each job's time, next and last run in words, and its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.console.formatting import duration
from arcadia_cloud.kernel.models import JobRun, ProcessHeartbeat
from arcadia_cloud.kernel.processes import Processes, is_alive
from arcadia_cloud.kernel.queue.job_runs import NO_RUNS, SCHEDULE, RunsOfJob, read_runs
from arcadia_cloud.kernel.queue.schedule.times import interval_words, next_due, timing_of

# So long a run may wait for a worker, and beat may be late, before that is wrong.
PATIENCE: Final = timedelta(minutes=1)
_COLOURS: Final[Mapping[str, str]] = {
    "ok": "success",
    "running": "info",
    "asked": "info",
    "failed": "danger",
    "expired": "danger",
    "overdue": "danger",
    "waiting": "danger",
    "interrupted": "danger",
}


@dataclass(frozen=True, slots=True)
class JobState:
    """A word for a job's state, since when, and what there is to add; `colour` is the theme's."""

    word: str
    detail: str = ""
    since: datetime | None = None

    @property
    def colour(self) -> str:
        return _COLOURS.get(self.word, "")

    @property
    def is_moving(self) -> bool:
        return self.word in {"running", "asked", "waiting"}


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in words; `tone` is the class of its outcome."""

    asked_at: datetime
    actor: str
    outcome: str
    colour: str
    took: str
    message: str
    worker: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the page shows it. `last` is its last run that has ended."""

    pk: int
    name: str
    queue: str
    is_on: bool
    when: str
    next_at: datetime | None
    next_words: str
    state: JobState
    last: RunLine | None


def list_job_rows(processes: Processes, *, at: datetime) -> list[JobRow]:
    """Return every job, by name. Five queries."""
    tasks = PeriodicTask.objects.select_related("crontab", "interval", "solar", "clocked").order_by("name")
    return _build_rows(list(tasks), read_runs(), processes, at=at)


def read_job_row(task: PeriodicTask, processes: Processes, *, at: datetime) -> JobRow:
    """Return the row of one job."""
    (row,) = _build_rows([task], read_runs([task.name]), processes, at=at)
    return row


def _build_rows(
    tasks: Sequence[PeriodicTask], runs: Mapping[str, RunsOfJob], processes: Processes, *, at: datetime
) -> list[JobRow]:
    heartbeats = {each.name: each for each in ProcessHeartbeat.objects.all()}
    return [_build_row(task, runs.get(task.name, NO_RUNS), processes, heartbeats, at=at) for task in tasks]


def describe_run(run: JobRun, *, at: datetime) -> RunLine:
    """Return a run in words; one that hasn't ended as asked for or running."""
    begun = run.started_at or run.asked_at
    word = run.outcome or ("running" if run.started_at else "asked")
    took = duration((run.ended_at or at) - begun) if run.started_at else ""
    actor = "" if run.requested_by == SCHEDULE else run.requested_by
    return RunLine(run.asked_at, actor, word, _COLOURS.get(word, ""), took, run.message, run.worker)


def span_words(span: timedelta) -> str:
    """Return a span of time in its largest unit: `11 hours`, `2 minutes`, `5 seconds`."""
    seconds = max(int(span.total_seconds()), 0)
    for size in (86400, 3600, 60):
        if seconds >= size:
            seconds -= seconds % size
            break
    words = interval_words(seconds) if seconds else "a moment"
    return words if words[0].isdigit() or not seconds else f"1 {words}"


def _build_row(
    task: PeriodicTask,
    runs: RunsOfJob,
    processes: Processes,
    heartbeats: Mapping[str, ProcessHeartbeat],
    *,
    at: datetime,
) -> JobRow:
    timing = timing_of(task)
    # Counted from when the schedule last asked; beat writes its own mark of that only every few minutes.
    asked = max(each for each in (runs.scheduled_at, task.last_run_at or task.date_changed) if each)
    due = next_due(task, after=min(asked, at)) if task.enabled else None
    is_overdue = due is not None and at - due > PATIENCE
    next_at = next_due(task, after=at) if is_overdue and task.crontab else due
    queue = task.queue or settings.CELERY_TASK_DEFAULT_QUEUE
    state = _state_of_runs(runs, heartbeats, is_unserved=queue in processes.unserved, at=at)
    if not (state and state.is_moving):
        if not task.enabled:
            state = JobState("off")
        elif is_overdue and due is not None:
            state = JobState("overdue", f"since {due:%-d %b, %H:%M} UTC: beat didn't ask for it", due)
    return JobRow(
        pk=task.pk,
        name=task.name,
        queue=queue,
        is_on=task.enabled,
        when=timing.words if timing else str(task.scheduler),
        next_at=next_at,
        next_words=f"in {span_words(next_at - at)}" if next_at and next_at > at else "now",
        state=state or JobState("never ran"),
        last=describe_run(runs.ended, at=at) if runs.ended else None,
    )


def _state_of_runs(
    runs: RunsOfJob, heartbeats: Mapping[str, ProcessHeartbeat], *, is_unserved: bool, at: datetime
) -> JobState | None:
    """Return what the runs show, the present before the past; None without a run."""
    if runs.started and _is_at_work(runs.started, heartbeats, at=at):
        begun = runs.started.started_at or at
        return JobState("running", f"for {span_words(at - begun)}{_asked_by(runs.started)}")
    if runs.waiting:
        asked_at = runs.waiting.asked_at
        ago = f"asked for {span_words(at - asked_at)} ago"
        if is_unserved or at - asked_at > PATIENCE:
            return JobState("waiting", f"{ago}, no worker took it{_asked_by(runs.waiting)}", asked_at)
        return JobState("asked", f"{ago}{_asked_by(runs.waiting)}")
    if runs.started:
        return JobState("interrupted", "its worker is gone; another takes it over within the hour")
    if runs.ended is None:
        return None
    message = runs.ended.message if runs.ended.outcome != JobRun.Outcome.OK else ""
    return JobState(runs.ended.outcome, message, runs.ended.ended_at)


def _is_at_work(run: JobRun, heartbeats: Mapping[str, ProcessHeartbeat], *, at: datetime) -> bool:
    """Return whether the worker that took the run lives, and lived then: names come again after a restart."""
    heartbeat = heartbeats.get(run.worker)
    return (
        heartbeat is not None
        and is_alive(heartbeat, at=at)
        and run.started_at is not None
        and heartbeat.started_at <= run.started_at
    )


def _asked_by(run: JobRun) -> str:
    return "" if run.requested_by == SCHEDULE else f", by {run.requested_by}"
