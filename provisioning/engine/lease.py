"""The leases of the sagas that this process advances, renewed by one thread.

One thread and one connection, however many sagas: it renews those older than a third of the lease, so that
a saga that ends at once costs nothing here. Time is the database's throughout; this process's clock only
decides when to ask again.
"""

import os
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.sql import fetch_all, load

log = structlog.get_logger(__name__)
_RENEW_LEASES: Final = load(__package__, "renew_leases.sql")
_LONGEST_PAUSE_SECONDS: Final = 1.0


def renew_lease(saga_id: int, token: uuid.UUID, *, seconds: float) -> None:
    """Make the lease last longer than `seconds` from now. Raises LeaseLost when another may hold the saga."""
    if not _renew([(saga_id, token)], seconds=max(seconds, settings.ARCADIA_SAGA_LEASE_SECONDS)):
        raise LeaseLost(f"the lease of saga {saga_id} expired while it was being advanced")


def _renew(leases: Sequence[tuple[int, uuid.UUID]], *, seconds: float) -> set[int]:
    """Renew the leases that are still held, and return the numbers of their sagas."""
    parameters = {
        "saga_ids": [saga_id for saga_id, _ in leases],
        "tokens": [token for _, token in leases],
        "seconds": seconds,
    }
    return set(fetch_all(_RENEW_LEASES, parameters, into=int, prepared=True))


class LeaseRenewer:
    """A thread that renews each lease added to it until that is removed or lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renewed_at: dict[tuple[int, uuid.UUID], float] = {}
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget_all)

    def add(self, saga_id: int, token: uuid.UUID) -> None:
        """Renew this lease from now on; it was just taken."""
        with self._lock:
            self._renewed_at[saga_id, token] = time.monotonic()
            # At the first lease, not at import: a prefork parent would start a thread that its children lack.
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_forever, name="saga leases", daemon=True)
                self._thread.start()

    def remove(self, saga_id: int, token: uuid.UUID) -> None:
        """Renew it no more."""
        with self._lock:
            self._renewed_at.pop((saga_id, token), None)

    def _forget_all(self) -> None:
        # A forked child has neither the thread nor the leases, and the lock may be held by what isn't there.
        self._lock = threading.Lock()
        self._renewed_at = {}
        self._thread = None

    def _renew_forever(self) -> None:
        while True:
            seconds: float = settings.ARCADIA_SAGA_LEASE_SECONDS
            time.sleep(min(seconds / 6, _LONGEST_PAUSE_SECONDS))
            self._renew_old(seconds)

    def _renew_old(self, seconds: float) -> None:
        """Renew the old ones. A database that is away for a moment is asked again at the next turn."""
        before = time.monotonic()
        # Copied under the lock, renewed without it: the database may take seconds, and claims must not wait.
        with self._lock:
            old = [lease for lease, at in self._renewed_at.items() if before - at >= seconds / 3]
        if not old:
            return
        try:
            renewed = _renew(old, seconds=seconds)
        except (DatabaseError, InterfaceError) as error:
            log.warning("saga_heartbeat_failed", error=type(error).__name__, sagas=len(old))
            return
        finally:
            connection.close()  # turns are seconds apart, and an idle one would outlive its database
        with self._lock:
            for lease in old:
                if lease not in self._renewed_at:  # removed while it was being renewed
                    continue
                if lease[0] in renewed:
                    self._renewed_at[lease] = before
                else:
                    log.warning("saga_lease_lost", saga=lease[0])
                    del self._renewed_at[lease]


lease_renewer = LeaseRenewer()
