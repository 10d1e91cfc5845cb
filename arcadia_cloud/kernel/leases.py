"""Leases: one process at a time does a named piece of work, on the database's clock.

Rows, not advisory locks: those break behind PgBouncer. A holder that dies lets go when its lease runs
out; one that is only slow keeps it by a heartbeat from a thread of its own.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.queue.shutdown import is_stopping

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.2
_ACQUIRE = """
    INSERT INTO leases AS held (name, token, holder, acquired_at, heartbeat_at, expires_at)
    VALUES (%(name)s, %(token)s, %(holder)s, clock_timestamp(), clock_timestamp(),
            clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (name) DO UPDATE
    SET token = excluded.token, holder = excluded.holder, acquired_at = excluded.acquired_at,
        heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
    WHERE held.expires_at < clock_timestamp()  -- decides who takes over: the loser's UPDATE matches no row
    RETURNING name
"""
_RENEW = """
    UPDATE leases
    SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE name = %(name)s AND token = %(token)s AND expires_at >= clock_timestamp()
    RETURNING name
"""
_STILL_HELD = """
    SELECT 1 FROM leases
    WHERE name = %(name)s AND token = %(token)s AND expires_at >= clock_timestamp()
    FOR SHARE
"""


class LeaseHeld(Conflict):
    """Another process does this work now."""

    code = "lease_held"


class LeaseLost(Conflict):
    """This process held the lease too long without a heartbeat; another may hold it now."""

    code = "lease_lost"


@dataclass(slots=True)
class HeldLease:
    """A lease in hand. `token` fences: writes that depend on the lease call `assert_held` first."""

    name: str
    seconds: float
    token: uuid.UUID = field(default_factory=uuid.uuid4)

    def assert_held(self) -> None:
        """Raise LeaseLost unless the lease is still ours.

        Inside a transaction it stays ours until the commit: the row is locked against a successor.
        """
        if not _affects_row(_STILL_HELD, self):
            raise LeaseLost(f"the lease {self.name!r} ran out while its work was still going on")


@contextmanager
def lease(name: str, *, seconds: float = 60, wait_seconds: float = 0) -> Iterator[HeldLease]:
    """Hold the lease `name` for the block, renewing it from a thread every third of `seconds`.

    Raises LeaseHeld when another process still holds it after `wait_seconds`, or when this worker is asked to
    stop meanwhile. Not for the inside of a transaction: no other process would see the lease before its
    commit.
    """
    held = HeldLease(name, seconds)
    give_up_at = time.monotonic() + wait_seconds
    while True:
        # Durable: inside the caller's transaction nobody else would see the lease before its commit.
        with transaction.atomic(durable=True):
            if _affects_row(_ACQUIRE, held):
                break
        if time.monotonic() >= give_up_at or is_stopping():
            raise LeaseHeld(f"{name} is already running")
        time.sleep(_POLL_SECONDS)
    stop = threading.Event()
    renewal = threading.Thread(
        target=_renew_until_stopped, args=(held, stop), name=f"lease {name}", daemon=True
    )
    renewal.start()
    try:
        yield held
    finally:
        stop.set()
        renewal.join()  # first: a renewal under way would find its row gone, and log a lease that was lost
        # Deleted, so that the next run needn't wait; when the database is away, it runs out by itself.
        try:
            connection.close_if_unusable_or_obsolete()  # the work may have outlived a restart of the database
            with connection.cursor() as cursor:
                # By token: if it ran out, the row is another process's by now.
                cursor.execute("DELETE FROM leases WHERE name = %s AND token = %s", [held.name, held.token])
        except (DatabaseError, InterfaceError) as error:
            log.warning("lease_not_released", name=held.name, error=type(error).__name__)


def _affects_row(statement: str, held: HeldLease) -> bool:
    """Run a statement on the lease; return whether it found or wrote a row."""
    parameters: dict[str, str | float | uuid.UUID] = {
        "name": held.name,
        "token": held.token,
        "seconds": held.seconds,
        "holder": f"{socket.gethostname()}:{os.getpid()}",
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone() is not None


def _renew_until_stopped(held: HeldLease, stop: threading.Event) -> None:
    """Renew until stopped. A database that is away for a moment is tried again; a lost lease ends it."""
    while not stop.wait(held.seconds / 3):
        try:
            if not _affects_row(_RENEW, held):
                log.warning("lease_lost", name=held.name)
                break
        except (DatabaseError, InterfaceError) as error:
            log.warning("lease_heartbeat_failed", name=held.name, error=type(error).__name__)
            connection.close()
    connection.close()  # this thread's own, which nothing else would close
