"""The runs of scheduled tasks: recorded by beat, the console and the workers, and read for the jobs page.

A job is an entry of the schedule, known by its name.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max

from arcadia_cloud.kernel.models import JobRun
from arcadia_cloud.kernel.retention import delete_in_batches

SCHEDULE: Final = "schedule"
RUNS_KEPT: Final = 20
LONGEST_MESSAGE: Final = 500
_KEPT_FOR: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RunsOfJob:
    """A job's runs that matter now. `waiting` is the oldest that no worker has taken."""

    waiting: JobRun | None = None
    started: JobRun | None = None  # and not ended, as far as is known
    ended: JobRun | None = None
    scheduled_at: datetime | None = None  # when the schedule asked last


NO_RUNS: Final = RunsOfJob()


def record_request(*, task_id: str, job: str, actor: str, at: datetime) -> None:
    """Record that a run was asked for. A worker that was faster has the row already: it is completed.

    While a scheduled run waits for a worker, the next ones aren't recorded: the wait is counted from the
    first, and an outage writes no rows.
    """
    if actor == SCHEDULE and read_runs([job]).get(job, NO_RUNS).waiting:
        return
    _upsert(
        JobRun(task_id=task_id, job=job, requested_by=actor, asked_at=at), fields=("requested_by", "asked_at")
    )
    kept = JobRun.objects.filter(job=job).order_by("-asked_at", "-pk")
    JobRun.objects.filter(pk__in=list(kept.values_list("pk", flat=True)[RUNS_KEPT:])).delete()


def record_start(*, task_id: str, job: str, worker: str, at: datetime) -> None:
    """Record that a worker has taken the run; of one that another worker took before, it begins again."""
    run = JobRun(task_id=task_id, job=job, requested_by=SCHEDULE, asked_at=at, started_at=at, worker=worker)
    _upsert(run, fields=("started_at", "worker", "ended_at", "outcome", "message"))


def record_end(*, task_id: str, outcome: str, message: str, at: datetime) -> None:
    """Record how the run ended, in words of at most LONGEST_MESSAGE characters."""
    JobRun.objects.filter(task_id=task_id).update(
        ended_at=at, outcome=outcome, message=message[:LONGEST_MESSAGE]
    )


def read_runs(jobs: Collection[str] | None = None) -> Mapping[str, RunsOfJob]:
    """Return the runs that matter now, by job; of all jobs unless some are named. Three queries."""
    rows = JobRun.objects.all() if jobs is None else JobRun.objects.filter(job__in=jobs)
    ended = {
        run.job: run
        for run in rows.filter(ended_at__isnull=False).order_by("job", "-asked_at").distinct("job")
    }
    unended: dict[str, list[JobRun]] = defaultdict(list)
    for run in rows.filter(ended_at=None).order_by("asked_at"):
        unended[run.job].append(run)
    scheduled = dict(
        rows.filter(requested_by=SCHEDULE).order_by().values_list("job").annotate(Max("asked_at"))
    )
    return {
        job: replace(_choose_runs(unended[job], ended.get(job)), scheduled_at=scheduled.get(job))
        for job in {*unended, *ended}
    }


def list_runs(job: str) -> list[JobRun]:
    """Return the job's runs that are kept, the newest first."""
    return list(JobRun.objects.filter(job=job).order_by("-asked_at", "-pk")[:RUNS_KEPT])


def delete_old_job_runs(*, at: datetime) -> int:
    """Delete the runs older than 90 days, those of jobs that are gone among them; return how many."""
    return delete_in_batches(JobRun.objects.filter(asked_at__lt=at - _KEPT_FOR).order_by("asked_at"))


def _choose_runs(unended: list[JobRun], ended: JobRun | None) -> RunsOfJob:
    """Leave out what later runs have overtaken: lost messages, ends that weren't written."""
    # A run that was skipped found the one before it still at work.
    overtakes = ended if ended and ended.outcome != JobRun.Outcome.SKIPPED else None
    started = [
        run for run in unended if run.started_at and not (overtakes and overtakes.asked_at > run.asked_at)
    ]
    latest = max((run.asked_at for run in (*started, *([ended] if ended else ()))), default=None)
    waiting = [run for run in unended if not run.started_at and (latest is None or run.asked_at > latest)]
    return RunsOfJob(
        waiting=waiting[0] if waiting else None, started=started[-1] if started else None, ended=ended
    )


def _upsert(run: JobRun, *, fields: tuple[str, ...]) -> None:
    # Whoever is later, the asking process or the worker, adds to the other's row.
    JobRun.objects.bulk_create([run], update_conflicts=True, unique_fields=["task_id"], update_fields=fields)
