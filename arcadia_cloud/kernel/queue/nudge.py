"""The queue nudge: rows are the queue, Celery only carries wake-ups."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu import Connection, Producer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from arcadia_cloud.kernel.queue.redis_client import CircuitBreaker, redis_client

log = structlog.get_logger(__name__)
breaker = CircuitBreaker(seconds=2)
# When whoever was woken dies before it looks, others are woken after this. Meanwhile the sweep finds rows.
_WAKE_SECONDS = 2


def nudge(
    task_name: str, *, queue: str | None = None, countdown_seconds: float | None = None, **kwargs: object
) -> None:
    """Ask a worker to look at rows that this transaction is about to commit.

    Best effort: short socket timeouts, no retries. When the broker is away or hangs, that is logged and
    the scheduled sweep picks the rows up; so it does for the nudges of the next two seconds, which aren't
    even tried, since a request may nudge for many rows.
    """

    def publish() -> None:  # not functools.partial: robust=True reads __qualname__
        _try(
            task_name,
            lambda: publish_now(task_name, queue=queue, countdown_seconds=countdown_seconds, **kwargs),
        )

    transaction.on_commit(publish, robust=True)


def wake(task_name: str, *, queue: str) -> None:
    """Ask a worker to look for rows that are due, this transaction's among them; one message for many.

    For a task that takes whatever it finds. Nothing is sent while a worker that was woken has yet to look:
    it says so by `woken` just before, so whoever asks after that is sent for again, and a row that was
    committed before is there to be found. Best effort, as `nudge`.
    """

    def send_unless_woken() -> None:
        if _flags().set(_flag(task_name), 1, nx=True, ex=_WAKE_SECONDS):
            publish_now(task_name, queue=queue)

    def publish() -> None:
        _try(task_name, send_unless_woken)

    transaction.on_commit(publish, robust=True)


def clear_wake_flag(task_name: str) -> None:
    """The task is about to look: whoever asks from now on wants another look."""
    _try(task_name, lambda: _flags().delete(_flag(task_name)))


def _flag(task_name: str) -> str:
    return f"woken:{task_name}"


def _flags() -> redis.Redis:
    return redis_client(_broker_url(), settings.ARCADIA_NUDGE_TIMEOUT_SECONDS)


def _broker_url() -> str:
    return str(current_app.conf.broker_write_url or current_app.conf.broker_url)


def _try(task_name: str, ask: Callable[[], object]) -> None:
    """Ask the broker, unless it failed a moment ago; a failure is logged, and keeps others from asking."""
    if breaker.is_open():
        return
    try:
        ask()
    except (OperationalError, OSError, RedisError) as error:
        breaker.trip()
        log.warning("nudge_lost", task=task_name, error=type(error).__name__)


def publish_now(
    task_name: str, *, queue: str | None = None, countdown_seconds: float | None = None, **kwargs: object
) -> None:
    """Publish a task, into the default queue unless another is named.

    The workers' connections wait for minutes, by design; this one gives up after
    ARCADIA_NUDGE_TIMEOUT_SECONDS. Raises kombu.exceptions.OperationalError or OSError.
    """

    def publish() -> None:
        current_app.send_task(
            task_name,
            kwargs=kwargs,
            queue=queue,
            countdown=countdown_seconds,
            producer=_line.producer(),
            retry=False,
        )

    was_open = _line.is_open
    try:
        publish()
    except (OperationalError, OSError):
        _line.close()
        if not was_open:
            raise
        try:  # the broker may have restarted since this thread spoke to it last
            publish()
        except (OperationalError, OSError):
            _line.close()
            raise


class _Line(threading.local):
    """This thread's own connection to the broker, kept open: opening one costs more than the message."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._to: tuple[int, str, float] | None = None

    @property
    def is_open(self) -> bool:
        return self._producer is not None and self._to == self._wanted()

    def producer(self) -> Producer:
        """The open one, or a new one: after a fork, or when the settings have changed."""
        if self._producer is None or not self.is_open:
            self.close()
            self._connection = current_app.connection_for_write(transport_options=_impatient())
            self._producer = current_app.amqp.Producer(self._connection, auto_declare=False)
            self._to = self._wanted()
        return self._producer

    def close(self) -> None:
        """Forget it; one that a fork has copied is the parent's to close."""
        connection, to = self._connection, self._to
        self._connection = self._producer = self._to = None
        if connection is not None and to is not None and to[0] == os.getpid():
            with suppress(OperationalError, OSError):
                connection.release()

    def _wanted(self) -> tuple[int, str, float]:
        return os.getpid(), _broker_url(), settings.ARCADIA_NUDGE_TIMEOUT_SECONDS


_line = _Line()


def _impatient() -> dict[str, Any]:
    seconds = settings.ARCADIA_NUDGE_TIMEOUT_SECONDS
    return {
        **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
