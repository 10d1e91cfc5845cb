"""The leases of the sagas that this process walks, kept alive by one thread.

One thread and one connection, however many sagas: it renews those older than a third of the lease, so that
a saga that is walked through at once costs nothing here. Time is the database's throughout; this process's
clock only decides when to ask again.
"""

import os
import threading
import time
import uuid
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from arcadia_cloud.kernel.leases import LeaseLost
from provisioning.statements import all_rows, statement

log = structlog.get_logger(__name__)
_RENEW = statement("renew.sql")
_LONGEST_PAUSE_SECONDS = 1.0


def renew(saga_id: int, token: uuid.UUID, *, seconds: float) -> None:
    """Make sure the lease lasts longer than `seconds` from now. Raises LeaseLost when it is ours no more."""
    if not _renewed([(saga_id, token)], seconds=max(seconds, settings.ARCADIA_SAGA_LEASE_SECONDS)):
        raise LeaseLost(f"the lease of saga {saga_id} ran out while it was being walked")


def _renewed(held: Sequence[tuple[int, uuid.UUID]], *, seconds: float) -> set[int]:
    parameters = {
        "saga_ids": [saga_id for saga_id, _ in held],
        "tokens": [token for _, token in held],
        "seconds": seconds,
    }
    return {saga_id for (saga_id,) in all_rows(_RENEW, parameters)}


class LeaseRenewer:
    """Renews what it is given until it is taken away or lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renewed_at: dict[tuple[int, uuid.UUID], float] = {}
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget_all)

    def keep(self, saga_id: int, token: uuid.UUID) -> None:
        """Renew this lease from now on; it was just taken."""
        with self._lock:
            self._renewed_at[saga_id, token] = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_for_ever, name="saga leases", daemon=True)
                self._thread.start()

    def drop(self, saga_id: int, token: uuid.UUID) -> None:
        """Renew it no more."""
        with self._lock:
            self._renewed_at.pop((saga_id, token), None)

    def _forget_all(self) -> None:
        """A forked child has neither the thread nor the leases."""
        self._lock = threading.Lock()
        self._renewed_at = {}
        self._thread = None

    def _beat_for_ever(self) -> None:
        while True:
            seconds: float = settings.ARCADIA_SAGA_LEASE_SECONDS
            time.sleep(min(seconds / 6, _LONGEST_PAUSE_SECONDS))
            self._beat(seconds)

    def _beat(self, seconds: float) -> None:
        """Renew the old ones. A database that is away for a moment is asked again at the next beat."""
        before = time.monotonic()
        with self._lock:
            old = [held for held, at in self._renewed_at.items() if before - at >= seconds / 3]
        if not old:
            return
        try:
            renewed = _renewed(old, seconds=seconds)
        except (DatabaseError, InterfaceError) as error:
            log.warning("saga_heartbeat_failed", error=type(error).__name__, sagas=len(old))
            return
        finally:
            connection.close()  # beats are seconds apart, and an idle one would outlive its database
        with self._lock:
            for held in old:
                if held not in self._renewed_at:
                    continue
                if held[0] in renewed:
                    self._renewed_at[held] = before
                else:
                    log.warning("saga_lease_lost", saga=held[0])
                    del self._renewed_at[held]


keeper = LeaseRenewer()
