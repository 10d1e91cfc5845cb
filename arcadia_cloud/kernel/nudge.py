"""The queue nudge: rows are the queue, Celery only carries wake-ups."""

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from arcadia_cloud.kernel.impatient import Breaker

log = structlog.get_logger(__name__)
breaker = Breaker(seconds=2)


def nudge(
    task_name: str, *, queue: str | None = None, countdown_seconds: float | None = None, **kwargs: object
) -> None:
    """Ask a worker to look at rows that this transaction is about to commit.

    Best effort: short socket timeouts, no retries. When the broker is away or hangs, that is logged and
    the scheduled sweep picks the rows up; so it does for the nudges of the next two seconds, which aren't
    even tried, since a request may nudge for many rows.
    """

    def publish() -> None:  # not functools.partial: robust=True reads __qualname__
        if breaker.is_open():
            return
        try:
            send_now(task_name, queue=queue, countdown_seconds=countdown_seconds, **kwargs)
        except (OperationalError, OSError) as error:
            breaker.trip()
            log.warning("nudge_lost", task=task_name, error=type(error).__name__)

    transaction.on_commit(publish, robust=True)


def send_now(
    task_name: str, *, queue: str | None = None, countdown_seconds: float | None = None, **kwargs: object
) -> None:
    """Publish a task over a connection of its own, into the default queue unless another is named.

    The workers' connections wait for minutes, by design; this one gives up after
    ARCADIA_NUDGE_TIMEOUT_SECONDS. Raises kombu.exceptions.OperationalError or OSError.
    """
    seconds = settings.ARCADIA_NUDGE_TIMEOUT_SECONDS
    options = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    with current_app.connection_for_write(
        transport_options={**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **options}
    ) as connection:
        current_app.send_task(
            task_name,
            kwargs=kwargs,
            queue=queue,
            countdown=countdown_seconds,
            connection=connection,
            retry=False,
        )
