"""Real processes for tests: servers that may be killed, workers that may die."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
from django.db import connection

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children

READY_SECONDS = 60


@contextmanager
def hanging(child: ChildProcess) -> Iterator[None]:
    """For the block, the process and its children take connections and answer nothing (SIGSTOP)."""
    root = psutil.Process(child.process.pid)
    family = [root, *root.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def wait_for(child: ChildProcess, words: str, *, seconds: float = READY_SECONDS) -> None:
    """Return once the process has logged these words; fail with the end of its log when it doesn't."""
    deadline = time.monotonic() + seconds
    while words not in child.logged():
        assert child.process.poll() is None, f"{child.name} ended:\n{child.last_lines(40)}"
        assert time.monotonic() < deadline, f"{child.name} never said {words!r}:\n{child.last_lines(40)}"
        time.sleep(0.05)


def test_database_url() -> str:
    """The address of the database that this test uses, for other processes."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}"))


class Workers:
    """Starts Celery workers on this test's database and queues; the fixture ends them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[ChildProcess] = []

    def __call__(
        self,
        *queues: str,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = ("--concurrency", "1", "--pool", "prefork"),
    ) -> ChildProcess:
        """Start one and return when it takes tasks. `environment` is laid over this process's."""
        hostname = f"worker-{len(self.started)}-{os.getpid()}@%h"
        command = ["worker", "--queues", ",".join(queues), "--hostname", hostname]
        command += ["--without-gossip", "--without-mingle", *options]
        return self._start(command, environment, words=" ready.")

    def beat(self, *, environment: Mapping[str, str] | None = None) -> ChildProcess:
        """Start a beat, as `bin/run` does, and return when it goes by the schedule."""
        return self._start(["beat", "--pidfile="], environment, words="beat: Starting...")

    def _start(
        self, command: Sequence[str], environment: Mapping[str, str] | None, *, words: str
    ) -> ChildProcess:
        celery = [sys.executable, "-m", "celery", "-A", "arcadia_cloud", *command]
        surroundings = {**os.environ, "DATABASE_URL": test_database_url(), "PYTHONUNBUFFERED": "1"}
        name = f"{command[0]}-{len(self.started)}"
        child = start_child(
            name, celery, folder=self.folder, environment={**surroundings, **(environment or {})}
        )
        self.started.append(child)
        wait_for(child, words)
        return child

    def end(self) -> None:
        """End those that are still there."""
        stop_children(self.started, within_seconds=10)
