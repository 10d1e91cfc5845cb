"""The peer of the saga engine: the same three steps in DBOS Transact, in place or by a worker process.

`python -m bench.dbos_peer URL` is its worker; it prints `ready` and serves its queue until it is ended.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dbos import DBOS, DBOSClient

QUEUE: Final = "echoes"
_POLLING_SECONDS: Final = 0.01  # its default is a second; the peer shall not lose by waiting


@DBOS.step()
def echo(message: str) -> str:
    """One step: its result is kept in the database."""
    return message


@DBOS.workflow(name="three_echoes")
def three_echoes(message: str) -> str:
    """Three steps, one after the other."""
    for _ in range(3):
        echo(message)
    return message


@contextmanager
def launched(url: str) -> Iterator[None]:
    """DBOS up in this process for the block, on a database of its own, with its queue."""
    DBOS(
        config={
            "name": "peer",
            "system_database_url": url,
            "application_version": "1",
            "log_level": "ERROR",
            "enable_otlp": False,
        }
    )
    DBOS.launch()
    DBOS.register_queue(QUEUE, polling_interval_sec=_POLLING_SECONDS)
    try:
        yield
    finally:
        DBOS.destroy()


def enqueue(client: DBOSClient, message: str) -> None:
    """Hand one workflow to whoever serves the queue."""
    client.enqueue(
        {"queue_name": QUEUE, "workflow_name": "three_echoes", "app_version": "1"},
        message,
    )


def main(url: str) -> None:
    """Serve the queue."""
    with launched(url):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
