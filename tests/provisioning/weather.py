"""Bad weather for workers: they are killed, their PostgreSQL restarts, their Valkey forgets."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
from django.db import connection

from arcadia_cloud.embedded.child_processes import ChildProcess
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.environment import Environment

KILL_EVERY_SECONDS = 3.0


@contextmanager
def use_database(url: str) -> Iterator[None]:
    """For the block, everything here talks to the database at that address."""
    other = Environment({"URL": url}).database("URL")
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(other)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)


class Weather:
    """So many workers, of which one is killed every few seconds and started anew, until it is over."""

    def __init__(
        self,
        start: Callable[[], ChildProcess],
        *,
        workers: int = 2,
        every_seconds: float = KILL_EVERY_SECONDS,
        most_deaths: int | None = None,
    ) -> None:
        self._start = start
        self._count = workers
        self._every_seconds = every_seconds
        self._most_deaths = most_deaths
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow, name="weather")
        self.deaths = 0
        self.error: BaseException | None = None

    def __enter__(self) -> "Weather":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _blow(self) -> None:
        try:
            workers = [self._start() for _ in range(self._count)]
            while self.deaths != self._most_deaths and not self._over.wait(self._every_seconds):
                os.killpg(workers[0].process.pid, signal.SIGKILL)
                workers[0].process.wait(10)
                self.deaths += 1
                workers = [*workers[1:], self._start()]
        except BaseException as error:
            self.error = error
            raise


def upheave(what: str, postgres: Postgres, valkey: Valkey) -> None:
    """Restart PostgreSQL, or have Valkey forget everything."""
    if what == "restart":
        postgres.stop()
        postgres.start()
    else:
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
