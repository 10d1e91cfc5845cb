"""The queue nudge: rows are the queue, Celery only carries wake-ups."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from celery import current_app
from django.db import transaction
from redis.exceptions import RedisError

from arcadia_cloud.kernel.queue.broker import PUBLISH_ERRORS, BrokerAway, BrokerConnection
from arcadia_cloud.kernel.queue.circuit_breaker import CircuitBreaker

log = structlog.get_logger(__name__)
breaker: Final = CircuitBreaker(seconds=2)
_connection: Final = BrokerConnection()


def nudge(
    task_name: str, *, queue: str | None = None, countdown_seconds: float | None = None, **kwargs: object
) -> None:
    """Ask a worker to look at rows that this transaction is about to commit.

    Best effort: short socket timeouts, no retries. When the broker is away or hangs, that is logged and
    the scheduled sweep picks the rows up; so it does for the nudges of the next two seconds, which aren't
    even tried, since a request may nudge for many rows.
    """

    def publish() -> None:  # not functools.partial: robust=True reads __qualname__
        send_best_effort(
            task_name,
            lambda: publish_now(
                task_name,
                queue=queue,
                countdown_seconds=countdown_seconds,
                message_id=None,
                headers=None,
                **kwargs,
            ),
        )

    transaction.on_commit(publish, robust=True)


def send_best_effort(task_name: str, send: Callable[[], object]) -> None:
    """Call `send`, unless the broker failed a moment ago; log a failure, and skip the calls after it."""
    if breaker.is_open():
        return
    try:
        send()
    except (BrokerAway, RedisError) as error:
        breaker.trip()
        log.warning("nudge_lost", task=task_name, error=type(error.__cause__ or error).__name__)


def publish_now(
    task_name: str,
    *,
    queue: str | None = None,
    countdown_seconds: float | None = None,
    message_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    **kwargs: object,
) -> None:
    """Publish a task, into the default queue unless another is named; no transaction is waited for.

    Gives up after ARCADIA_NUDGE_TIMEOUT_SECONDS. Raises BrokerAway.
    """

    def publish() -> None:
        current_app.send_task(
            task_name,
            kwargs=kwargs,
            queue=queue,
            countdown=countdown_seconds,
            task_id=message_id,
            headers=dict(headers) if headers else None,
            producer=_connection.producer(),
            retry=False,
        )

    was_open = _connection.is_open
    try:
        try:
            publish()
        except PUBLISH_ERRORS:
            _connection.close()
            if not was_open:
                raise
            publish()  # the broker may have restarted since this thread published last
    except PUBLISH_ERRORS as error:
        _connection.close()
        raise BrokerAway from error
