"""Beat's scheduler: a task that falls due while the broker is away is sent once it is back."""

from typing import Any, Final

import structlog
from celery.beat import SchedulingError
from django_celery_beat.schedulers import DatabaseScheduler

log = structlog.get_logger(__name__)
_ATTEMPTS: Final = 3  # with the broker there: what fails then is the entry's own fault, and holds up no other


class BeatScheduler(DatabaseScheduler):  # type: ignore[misc]  # the library is untyped
    """The schedule in the database.

    Celery's own marks a task as run, tries to send it for half a second, and then only logs that it
    couldn't: a daily one that fell due just then would be lost until the next day.
    """

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """Send it; while the broker is away, wait for it. Raises SchedulingError for what can't be sent."""
        entry = self.reserve(entry) if advance else entry
        for _ in range(_ATTEMPTS - 1):
            try:
                return super().apply_async(entry, producer=producer, advance=False, **kwargs)
            except SchedulingError as error:
                log.warning("schedule_waits_for_the_broker", task=entry.name, error=str(error))
                # Without an end: beat has nothing else to do, and the task's turn would be lost.
                with self.app.connection_for_write() as connection:
                    connection.ensure_connection(interval_start=0.2, interval_step=0.4, interval_max=2)
        return super().apply_async(entry, producer=producer, advance=False, **kwargs)
