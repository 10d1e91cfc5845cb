"""Beat's scheduler: a task that falls due while the broker takes nothing is sent once it does again."""

import os
import time
from pathlib import Path
from typing import Any, Final

import structlog
from celery.beat import SchedulingError
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from arcadia_cloud.kernel.queue.broker import PUBLISH_ERRORS
from arcadia_cloud.kernel.queue.job_runs import SCHEDULE, record_request

log = structlog.get_logger(__name__)
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


class BeatScheduler(DatabaseScheduler):  # type: ignore[misc]  # the library is untyped
    """The schedule in the database.

    Celery's own marks a task as run, tries to send it for half a second, and then only logs that it
    couldn't: a daily one that fell due just then would be lost until the next day.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due. Touches ARCADIA_BEAT_ALIVE_FILE, if set, for a health check from outside."""
        if path := os.environ.get("ARCADIA_BEAT_ALIVE_FILE"):
            Path(path).touch()
        return super().tick(*args, **kwargs)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """Send it; try until the broker has accepted it. Raises SchedulingError for what can't be sent."""
        entry = self.reserve(entry) if advance else entry
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                sent = super().apply_async(entry, producer=producer, advance=False, **kwargs)
            except SchedulingError as error:
                # An entry that can't be sent whatever the broker does holds up no other.
                if not isinstance(error.__cause__ or error.__context__, PUBLISH_ERRORS):
                    raise
                log.warning("schedule_waits_for_the_broker", task=entry.name, error=str(error))
            else:
                _record(entry.name, sent.id)
                return sent
            # A connection proves nothing: a full broker, or a replica, takes one and refuses each message.
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _record(job: str, task_id: str) -> None:
    """Record that the run was asked for; what is sent stays sent, whatever the database does."""
    try:
        record_request(task_id=task_id, job=job, actor=SCHEDULE, at=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        log.warning("job_run_not_recorded", task=job, error=type(error).__name__)
        connection.close()  # a broken one would fail the next look at the schedule
