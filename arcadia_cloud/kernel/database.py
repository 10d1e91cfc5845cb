"""The database's clock, retries while it restarts, and a cursor for large parameters."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

T = TypeVar("T")
log = structlog.get_logger(__name__)

# PostgreSQL's error codes (appendix A): connection exceptions, shutdowns, and "starting up".
_AWAY = ("08", "57P01", "57P02", "57P03")
_LONGEST_PAUSE_SECONDS = 2.0


class DatabaseClock:
    """The database's clock, read once and carried on by this process's monotonic one.

    Rows written by many machines are compared by it, so no machine's wall clock may enter. `read` is a
    reading that a statement has just brought along; without one, the clock is read here.
    """

    def __init__(self, read: datetime | None = None) -> None:
        if read is None:
            with connection.cursor() as cursor:
                # Not now(): that is the transaction's start, which may lie far back.
                cursor.execute("SELECT clock_timestamp()")
                read = cursor.fetchone()[0]
        self._read: datetime = read
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """Return the instant, UTC."""
        return self._read + timedelta(seconds=time.monotonic() - self._monotonic)


@contextmanager
def server_binding_cursor(*, prepared: bool = False) -> Iterator[CursorWrapper]:
    """Yield a cursor that sends parameters beside the statement; Django's own writes them into its text.

    For statements with parameters of many kilobytes: quoting them here and parsing them there again costs
    a fifth of a sync. `prepared` is for short statements that a connection sends again and again, and whose
    planning costs more than their work: the server keeps the plan (not behind PgBouncer, which may hand the
    next statement to another server). Every parameter needs its type in the statement.
    """
    # As Django's own cursor does it: without it, a kept connection to a server that hangs is waited for.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor = ServerBindingCursor
    if prepared and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        cursor = _PreparingCursor
    with cursor(connection.connection) as raw:  # type: ignore[call-arg, attr-defined]  # the stubs leave its psycopg base out
        yield connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)


class _PreparingCursor(ServerBindingCursor):
    """Prepares what it sends. Django switches preparing off on its connections: it is on for this call."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        connected = self.connection  # type: ignore[attr-defined]  # as above
        connected.prepare_threshold = 0
        try:
            return super().execute(query, params, **options)  # type: ignore[misc]  # as above
        finally:
            connected.prepare_threshold = None


@contextmanager
def snapshot() -> Iterator[None]:
    """Open a transaction whose statements all see the database as it is at the first of them.

    A row that another transaction has changed since can't be written in it: the server refuses. Raises
    RuntimeError inside another transaction, whose snapshots were taken already.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a snapshot is a transaction of its own, and this is inside another")
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Before the first query: the server takes the snapshot with it.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def retry_while_database_is_down(write: Callable[[], T], *, seconds: float = 60) -> T:
    """Run a write that may be repeated, again and again while the database is away, up to `seconds`.

    Only for writes that change nothing when they are repeated: the answer to a commit may be what was
    lost. Raises OperationalError or InterfaceError when the database stays away, and any other error at
    once. Must not be called inside a transaction.
    """
    deadline = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            # Without a code there was no server to send one; any other code is the statement's own fault.
            code: str | None = getattr(error.__cause__, "sqlstate", None)
            is_away = code is None or code.startswith(_AWAY)
            if not is_away or time.monotonic() + pause > deadline:
                raise
            log.warning("database_away", error=type(error).__name__, pause_seconds=pause)
        connection.close()
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
