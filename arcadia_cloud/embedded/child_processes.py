"""Child processes, recorded so that the next start can stop what a killed one left behind.

A child runs in a session of its own, so that the terminal's Ctrl-C reaches only the command that
started it, and writes into a log file instead of a pipe: it outlives a killed parent without
breaking, until the next start ends it. honcho's manager does neither, and leaves its own helper
processes behind when killed, hence this module.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from arcadia_cloud.embedded.errors import ChildError

RECORD = "processes.jsonl"
POSTGRES = "postgres"  # the name its process is recorded by
CLOCK_SLACK_SECONDS = 2.0  # a process's age shifts a little when the machine's clock is set


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """A running process with its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int  # where in the log this process began, in bytes

    def logged(self) -> str:
        """Return what this process has written so far."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        """Return the end of what it wrote, for an error message."""
        return "\n".join(self.logged().splitlines()[-count:])


def start_child(
    name: str,
    argv: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    group: int | None = None,
) -> ChildProcess:
    """Start a process that writes to `logs/NAME.log` of the state folder, and record it there.

    `user` and `group` are ids to run as; only root may give them. Raises ChildError when the log can't
    be written.
    """
    log = folder / "logs" / f"{name}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    except OSError as error:
        raise ChildError(f"can't write {log} ({error.strerror}): it may belong to another user") from error
    with output:
        log_start = log.stat().st_size
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,  # Ctrl-C reaches only the command that started it
        )
    record_process(folder, name, process.pid)
    return ChildProcess(name, process, log, log_start)


def record_process(folder: Path, name: str, pid: int) -> None:
    """Record a process with the time it began: a pid alone may belong to another one later."""
    # One that has ended already has no time of beginning, and needs no record.
    with suppress(psutil.NoSuchProcess), (folder / RECORD).open("a", encoding="utf-8") as lines:
        row = {"name": name, "pid": pid, "created": psutil.Process(pid).create_time()}
        lines.write(json.dumps(row) + "\n")


def stop_children(
    children: Sequence[ChildProcess], *, by: signal.Signals = signal.SIGTERM, within_seconds: float = 15
) -> None:
    """Ask processes to stop, all at once; after `within_seconds` kill what is left of them and theirs."""
    roots = []
    for child in children:
        # It may have ended by itself since the list was made.
        with suppress(psutil.NoSuchProcess):
            roots.append(psutil.Process(child.process.pid))
    # A child that was killed has left its own children behind: each is in the session that it led.
    leaders, left = {child.process.pid for child in children}, []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getsid(pid) in leaders:
                left.append(psutil.Process(pid))
    _stop_trees(roots, left=left, by=by, within_seconds=within_seconds)
    for child in children:
        # Collected, so that no zombie is left; a process that can't be killed isn't waited for.
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=5)


def _stop_trees(
    roots: Sequence[psutil.Process],
    *,
    left: Sequence[psutil.Process] = (),
    by: signal.Signals,
    within_seconds: float,
) -> None:
    # Before any root ends: its children have no parent then that leads to them.
    families = [*left]
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            families += [root, *root.children(recursive=True)]
    # Only the roots get the signal: PostgreSQL, gunicorn and Celery stop their own children in order.
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            root.send_signal(by)
    psutil.wait_procs(roots, timeout=within_seconds)
    _, alive = psutil.wait_procs(families, timeout=1)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def stop_leftovers(folder: Path) -> list[str]:
    """Stop what an earlier, killed command recorded in this folder; return the names of what still ran.

    Call it with the folder's lock held. PostgreSQL is stopped last, when its clients are gone.
    """
    path = folder / RECORD
    found = _read_record(path)
    databases = [process for name, process in found if name == POSTGRES]
    _stop_trees(
        [process for name, process in found if name != POSTGRES], by=signal.SIGTERM, within_seconds=10
    )
    _stop_trees(databases, by=signal.SIGINT, within_seconds=30)  # fast shutdown, PostgreSQL manual 18.5
    path.unlink(missing_ok=True)
    return [name for name, _process in found]


def remove_finished_record(folder: Path) -> None:
    """Remove the record once every process in it has ended."""
    path = folder / RECORD
    if not _read_record(path):
        path.unlink(missing_ok=True)


def _read_record(path: Path) -> list[tuple[str, psutil.Process]]:
    """Return the recorded processes that still run; a line cut short by a kill is skipped."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        # The last line may be half written: whoever wrote it was killed.
        with suppress(json.JSONDecodeError, psutil.NoSuchProcess):
            row = json.loads(line)
            process = psutil.Process(row["pid"])
            same = abs(process.create_time() - row["created"]) < CLOCK_SLACK_SECONDS
            if same and process.pid != os.getpid():
                found.append((str(row["name"]), process))
    return found
