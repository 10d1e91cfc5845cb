"""`saga`: three echoes, walked in place and by a worker, against DBOS Transact on the same PostgreSQL.

The echo changes nothing outside, and its steps say so, which spares them the flush to the disk; a row of
its own tells what the same steps take without that word. Steps per second: ours and the peer's take the
same number of steps, so their ratio is that of the times. Through a worker, the clock runs from the first
start to the last end. Ours is one Celery worker with two processes, the peer's one process with its threads.
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from dbos import DBOSClient
from django.db import connection

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from bench import dbos_peer
from bench.harness import Contender, Row, bench, compare, interleave, row
from bench.scratch import scratch_database
from provisioning.contract import Step, Workflow
from provisioning.engine.runner import run
from provisioning.registry import register_steps, register_workflow
from provisioning.services import start_saga
from provisioning.workflows import echo

INLINE, QUEUED = 300, 600
PROCESSES: Final = "2"  # one per core of the machine that the figures are for
ROUNDS: Final = 3
_READY_SECONDS, _DONE_SECONDS = 60, 300
_ON_DISK: Final = "echo_on_disk"
_INPUTS: Final = {"message": "hello"}
_PEER_DATABASE: Final = "dbos_peer"


@bench("saga")
def saga(scale: float) -> Iterator[Row]:
    """Both ways, each against DBOS's same way."""
    for lines in ("django_structlog", "provisioning.engine.runner"):  # a line per saga hides the progress
        logging.getLogger(lines).setLevel(logging.WARNING)
    inline, queued = (max(1, round(count * scale)) for count in (INLINE, QUEUED))
    _register_on_disk()
    with scratch_database(), _peer_database() as peer, tempfile.TemporaryDirectory() as folder:
        with dbos_peer.launched(peer):
            found = interleave(
                {
                    "echo": Contender(lambda: _walk_in_place("echo", inline)),
                    "on disk": Contender(lambda: _walk_in_place(_ON_DISK, inline)),
                    "DBOS": Contender(lambda: _peer_in_place(inline)),
                },
                rounds=ROUNDS,
            )
            steps = f"{inline * 3} steps in place, DBOS in place"
            yield row("saga", steps, found["echo"], found["DBOS"], target=3.0, higher=True)
            each = f"{steps}; each step on the disk before the next"
            yield row("saga", each, found["on disk"], found["DBOS"], target=3.0, higher=True)
        with _ours_served(Path(folder)), _peer_served(Path(folder), peer) as client:
            yield compare(
                "saga",
                f"{queued * 3} steps by a worker, DBOS's queue",
                ours=Contender(lambda: _queue_ours(queued)),
                floor=Contender(lambda: _queue_peers(client, peer, queued)),
                target=1.5,
                higher=True,
                rounds=ROUNDS,
            )


def _walk_in_place(kind: str, count: int) -> None:
    for _ in range(count):
        run(start_saga(kind=kind, inputs=_INPUTS, actor="bench", run_by_caller=True).pk)


class _EchoesOnDisk(echo.EchoInputs, frozen=True, kw_only=True):
    """The same echoes, each by the step that is flushed to the disk."""

    def steps(self) -> Sequence[str]:
        return [_ON_DISK] * self.times


def _register_on_disk() -> None:
    """The same echo, which says nothing of changing nothing: each of its steps is flushed to the disk."""
    register_steps(Step(_ON_DISK, echo.echo, compensate=echo.compensate_echo))
    register_workflow(Workflow(_ON_DISK, _EchoesOnDisk))


def _peer_in_place(count: int) -> None:
    for _ in range(count):
        dbos_peer.three_echoes("hello")


def _queue_ours(count: int) -> None:
    before = _completed()
    for _ in range(count):
        start_saga(kind="echo", inputs=_INPUTS, actor="bench")
    _until(lambda: _completed() - before == count, "our worker")


def _completed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM saga_runs WHERE status = 'completed'")
        return int(cursor.fetchone()[0])


def _queue_peers(client: DBOSClient, url: str, count: int) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as looking:

        def succeeded() -> int:
            row = looking.execute("SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'")
            found = row.fetchone()
            assert found is not None
            return int(found[0])

        before = succeeded()
        for _ in range(count):
            dbos_peer.enqueue(client, "hello")
        _until(lambda: succeeded() - before == count, "DBOS's worker")


def _until(done: Callable[[], bool], who: str) -> None:
    deadline = time.monotonic() + _DONE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{who} didn't finish within {_DONE_SECONDS} s")
        time.sleep(0.02)


@contextmanager
def _peer_database() -> Iterator[str]:
    """A database for DBOS beside ours, on the same server; its address, as SQLAlchemy reads it."""
    original = os.environ["DATABASE_URL"]
    with closing(psycopg.connect(original, autocommit=True)) as server:
        server.execute(f"DROP DATABASE IF EXISTS {_PEER_DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {_PEER_DATABASE}")
        try:
            yield _address(_PEER_DATABASE)
        finally:
            server.execute(f"DROP DATABASE {_PEER_DATABASE} WITH (FORCE)")


def _address(database: str) -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(scheme="postgresql", path=f"/{database}"))


@contextmanager
def _ours_served(folder: Path) -> Iterator[None]:
    """A Celery worker on the scratch database, with production's options."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "arcadia_cloud", "worker"]
    options = [
        "--queues",
        "provisioning",
        "--concurrency",
        PROCESSES,
        "--without-gossip",
        "--without-mingle",
    ]
    environment = {**os.environ, "DATABASE_URL": _address(str(connection.settings_dict["NAME"]))}
    child = start_child("celery", [*celery, *options], folder=folder, environment=environment)
    try:
        _wait_for(child, " ready.")
        yield
    finally:
        stop_children([child], within_seconds=10)


@contextmanager
def _peer_served(folder: Path, url: str) -> Iterator[DBOSClient]:
    """DBOS's worker, in a process of its own, and a client that enqueues."""
    child = start_child("dbos", [sys.executable, "-m", "bench.dbos_peer", url], folder=folder)
    client = DBOSClient(system_database_url=url)
    try:
        _wait_for(child, "ready")
        yield client
    finally:
        client.destroy()
        stop_children([child], within_seconds=10)


def _wait_for(child: ChildProcess, words: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while words not in child.logged():
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{child.name} didn't start:\n{child.last_lines()}")
        time.sleep(0.05)
