"""The backend's wrapper, where Django looks for it: `ENGINE` is `arcadia_cloud.database_backend`."""

from types import SimpleNamespace
from typing import Any, Final, TypeVar

import psycopg
from django.db.backends.postgresql import base
from environ import Env
from psycopg.abc import PQGen
from psycopg.errors import (
    _WaitTimeout,
)  # there is no public name; a timeout can't be distinguished without it

from arcadia_cloud.kernel.queue.circuit_breaker import CircuitBreaker
from arcadia_cloud.live_secret import LiveSecret

T = TypeVar("T")
_URL: Final = LiveSecret("DATABASE_URL")
_PROBE_SECONDS: Final = 2.0  # for the `SELECT 1` before a kept connection is used again
# A server that has just let a connection wait in vain isn't tried by each of the requests behind it, nor
# by each query of a page that can do without: they would wait one after the other.
hanging: Final = CircuitBreaker(seconds=3)


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that gives up a server which takes a statement and answers nothing.

    The server's own limits end a statement that is slow. A server that hangs enforces none, and while its
    machine acknowledges what is sent, TCP notices nothing either. `answer_seconds`: None is no limit.
    """

    answer_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server. Raises psycopg.OperationalError after `answer_seconds`; it is closed then."""
        limit = self.answer_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except _WaitTimeout as error:
            if timeout is not None:
                raise  # the caller's own limit, and not the end of the connection
            # What is still on its way would be taken for the answer to the next statement.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server gave no answer within {limit} s") from error


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper over connections that have a limit: `ANSWER_SECONDS` of the database's settings.

    The user and password of a new connection are those that DATABASE_URL_FILE has by then.
    """

    # The module's names, with a `connect` of ours: the stubs ask for a module.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": LimitedConnection.connect})  # type: ignore[assignment]

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if url := _URL.value(""):
            present = Env.db_url_config(url)
            params |= {"user": present["USER"], "password": present["PASSWORD"]}
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect. Raises psycopg.OperationalError, at once where the server hung a moment ago."""
        if hanging.is_open():
            raise psycopg.OperationalError("the server gave no answer to a connection a moment ago")
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.errors.ConnectionTimeout:
            hanging.trip()
            raise
        connection.answer_seconds = self.settings_dict.get("ANSWER_SECONDS")
        return connection

    def is_usable(self) -> bool:
        """Return whether the kept connection answers soon; a statement's own limit is longer."""
        connection = self.connection
        limit, connection.answer_seconds = connection.answer_seconds, _PROBE_SECONDS
        try:
            return super().is_usable()
        finally:
            connection.answer_seconds = limit
