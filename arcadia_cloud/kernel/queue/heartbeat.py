"""The heartbeat of a worker or a beat: a thread that writes the process's row until it is stopped."""

from collections.abc import Sequence
from datetime import datetime
from threading import Event, Thread

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from arcadia_cloud.kernel.processes import HEARTBEAT_SECONDS, forget_process, record_heartbeat

log = structlog.get_logger(__name__)


class Heartbeat:
    """Writes, at regular intervals, that the process `name` runs and takes tasks from `queues`."""

    def __init__(self, name: str, *, queues: Sequence[str] = ()) -> None:
        self._name = name
        self._queues = tuple(queues)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Have the thread delete the row and end; waits for neither."""
        self._stopped.set()

    def _run(self) -> None:
        started_at = timezone.now()
        while not self._stopped.is_set():
            self._write(started_at)
            self._stopped.wait(HEARTBEAT_SECONDS)
        self._forget()

    def _write(self, started_at: datetime) -> None:
        try:
            record_heartbeat(self._name, queues=self._queues, started_at=started_at, at=timezone.now())
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat_not_written", process=self._name, error=type(error).__name__)
        finally:
            connection.close()  # a pool's child that is forked meanwhile would inherit it

    def _forget(self) -> None:
        try:
            forget_process(self._name)
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat_not_deleted", process=self._name, error=type(error).__name__)
        finally:
            connection.close()
