"""Celery's signals that record the runs of scheduled tasks: taken, ended, expired.

A run is a message with the name of its job in its headers, as beat and the console send it. No fault of the
database reaches the task: what can't be written is logged.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog
from celery.signals import task_failure, task_prerun, task_revoked, task_success
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.models import JobRun
from arcadia_cloud.kernel.queue.job_outcomes import JobOutcome, describe_failure, describe_result
from arcadia_cloud.kernel.queue.job_runs import record_end, record_start

JOB_HEADER: Final = "periodic_task_name"  # django-celery-beat's
_END_SECONDS: Final = 10
_EXPIRED: Final = JobOutcome(JobRun.Outcome.EXPIRED, "no worker took it in time, so it was dropped")

log = structlog.get_logger(__name__)


def connect_signals() -> None:
    """Have this process, and those that it forks, record the runs."""
    task_prerun.connect(record_begun_run)
    task_success.connect(record_good_run)
    task_failure.connect(record_failed_run)
    task_revoked.connect(record_expired_run)


def record_begun_run(task_id: str, task: Any, **_kwargs: object) -> None:
    """Record that this worker has taken the run."""
    job = job_of(task.request)
    if job:
        worker = str(task.request.hostname or "")
        _write_safely(lambda: record_start(task_id=task_id, job=job, worker=worker, at=timezone.now()))


def record_good_run(sender: Any, result: object = None, **_kwargs: object) -> None:
    """Record what the run has done."""
    _end(sender.request, describe_result(result))


def record_failed_run(sender: Any, exception: BaseException, **_kwargs: object) -> None:
    """Record why the run failed."""
    if job_of(sender.request):
        _end(sender.request, describe_failure(exception, expected=tuple(sender.throws or ())))


def record_expired_run(request: Any, expired: bool = False, **_kwargs: object) -> None:
    """Record that the run wasn't begun: it had expired when a worker came to it."""
    if expired:
        try:
            _end(request, _EXPIRED)
        finally:
            connection.close()  # the worker's main process forks others, which would inherit it


def job_of(request: Any) -> str:
    """Return the name of the job whose run the message is; empty for a message of another origin."""
    name = getattr(request, JOB_HEADER, None)
    return name if isinstance(name, str) else ""


def _end(request: Any, outcome: JobOutcome) -> None:
    if not job_of(request):
        return

    def write() -> None:
        record_end(task_id=request.id, outcome=outcome.outcome, message=outcome.message, at=timezone.now())

    # The task is over, so a moment's wait holds up nothing but the next one; a run without its end would
    # be shown as running.
    if connection.in_atomic_block:
        _write_safely(write)
    else:
        _write_safely(lambda: retry_while_database_is_down(write, seconds=_END_SECONDS))


def _write_safely(write: Callable[[], None]) -> None:
    try:
        write()
    except (DatabaseError, InterfaceError) as error:
        log.warning("job_run_not_recorded", error=type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()  # or the task would begin on a connection that is broken
