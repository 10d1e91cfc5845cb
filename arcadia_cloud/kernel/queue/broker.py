"""The connection to the broker that requests and sweeps publish through, and its one error."""

import os
import threading
from contextlib import suppress
from typing import Final

from celery import current_app
from django.conf import settings
from kombu import Connection, Producer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from arcadia_cloud.kernel.errors import DomainError

# The broker's faults: one that is full, and a read-only replica, answers and refuses.
PUBLISH_ERRORS: Final = (OperationalError, OSError, RedisError)


class BrokerAway(DomainError):
    """The broker took no message: it is down, unreachable, or refuses."""

    code = "broker_away"
    status = 503

    def __init__(self) -> None:
        super().__init__("The broker doesn't answer, so nothing was started. Try again soon.")


class BrokerConnection(threading.local):
    """This thread's own connection, kept open: opening one costs more than a message."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._opened_for: tuple[int, str, float] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the producer of the last call serves this process and these settings still."""
        return self._producer is not None and self._opened_for == _target()

    def producer(self) -> Producer:
        """Return the open producer, or a new one: after a fork, or when the settings have changed."""
        if self._producer is None or not self.is_open:
            self.close()
            seconds = settings.ARCADIA_NUDGE_TIMEOUT_SECONDS
            # Short limits: with those of the workers' connections a request would wait for minutes.
            options = {
                **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                "socket_timeout": seconds,
                "socket_connect_timeout": seconds,
                "retry_on_timeout": False,
                "max_retries": 0,
            }
            self._connection = current_app.connection_for_write(transport_options=options)
            self._producer = current_app.amqp.Producer(self._connection, auto_declare=False)
            self._opened_for = _target()
        return self._producer

    def close(self) -> None:
        """Forget the connection."""
        connection, opened_for = self._connection, self._opened_for
        self._connection = self._producer = self._opened_for = None
        # One that a fork has copied shares the parent's socket: closing it here would end the parent's.
        if connection is not None and opened_for is not None and opened_for[0] == os.getpid():
            with suppress(*PUBLISH_ERRORS):
                connection.release()


def broker_url() -> str:
    """Return the URL that messages are published to."""
    return str(current_app.conf.broker_write_url or current_app.conf.broker_url)


def _target() -> tuple[int, str, float]:
    return os.getpid(), broker_url(), settings.ARCADIA_NUDGE_TIMEOUT_SECONDS
