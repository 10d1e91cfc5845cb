"""The processes of bin/run: the web server, a worker per group of queues, and beat, watched until the end.

When the web server or a server behind it ends by itself, the whole stack stops and names it and its log:
on a laptop that is clearer than one that limps on. A worker or beat that ends is named, too, and the rest
stays up: the console's home page shows what waits for it. Production restarts single processes.
"""

import re
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.errors import ChildError, EmbeddedError
from arcadia_cloud.embedded.stop_signals import StopSignals

# Syncs may take minutes and billing longer; a worker of its own keeps provisioning from waiting for them.
WORKERS = {
    "provisioning": ("provisioning",),
    "background": ("cloud_sync_fast", "cloud_sync_full", "cloud_sync_slow", "cloud_billing", "metering"),
}
BACKGROUND = ("beat", *(f"worker-{name}" for name in WORKERS))  # requests are answered without them
WEB_START_SECONDS = 60
QUIET = re.compile(r"\[(info|debug) ")  # on the terminal; the log files have everything


def commands(port: int) -> dict[str, list[str]]:
    """Return each process's command, by its name on the terminal and in the logs."""
    python = [sys.executable, "-m"]
    gunicorn = [*python, "gunicorn", "arcadia_cloud.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    gunicorn += ["--worker-class", "arcadia_cloud.http.web_worker.WebWorker"]
    gunicorn += ["--logger-class", "arcadia_cloud.http.web_logger.WebLogger"]
    gunicorn += ["--no-control-socket"]  # it would stand in the home folder, one for all stacks
    celery = [*python, "celery", "--quiet", "-A", "arcadia_cloud"]
    worker = [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    return {
        "web": [*gunicorn, "--preload", "--workers", "2", "--threads", "4", "--graceful-timeout", "10"],
        **{
            f"worker-{name}": [*worker, "--hostname", f"{name}@%h", "--queues", ",".join(queues)]
            for name, queues in WORKERS.items()
        },
        "beat": [*celery, "beat", "--pidfile="],  # a killed beat's file would stop the next one
    }


def require_free_port(port: int) -> None:
    """Raise EmbeddedError when something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmbeddedError(
                f"port {port} can't be used ({error.strerror}): stop what listens there, or set ARCADIA_PORT"
            ) from error


@contextmanager
def run_processes(
    folder: Path, environment: Mapping[str, str], port: int, stop_signals: StopSignals
) -> Iterator[list[ChildProcess]]:
    """Start them all for the block; at its end all are asked to stop at once, and waited for.

    The web server has the machine for itself until it answers. Raises ChildError, StoppedError.
    """
    children: list[ChildProcess] = []
    try:
        for name, command in commands(port).items():
            children.append(start_child(name, command, folder=folder, environment=environment))
            if name == "web":
                _wait_for_web(children[0], f"http://127.0.0.1:{port}/api/health", stop_signals)
        yield children
    finally:
        stop_children(children, within_seconds=20)


def _wait_for_web(web: ChildProcess, url: str, stop_signals: StopSignals) -> None:
    """Return when it answers anything at all."""
    deadline = time.monotonic() + WEB_START_SECONDS
    while time.monotonic() < deadline:
        stop_signals.check()
        require_alive([web])
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own http address
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        # Not listening yet.
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ChildError(f"the web server gives no answer; the end of {web.log}:\n{web.last_lines()}")


def require_alive(children: Sequence[ChildProcess]) -> None:
    """Raise ChildError when one of them has ended."""
    for child in children:
        status = child.process.poll()
        if status is not None:
            raise ChildError(
                f"{child.name} ended by itself (status {status}), so the stack stops; "
                f"the end of {child.log}:\n{child.last_lines()}"
            )


def report_ended(child: ChildProcess, output: TextIO) -> None:
    """Print that a worker or beat has ended, and how its log ends."""
    with suppress(OSError):
        output.write(
            f"{child.name} ended by itself (status {child.process.poll()}), and the rest stays up: the "
            "console's home page shows what waits for it. Ctrl-C and bin/run start it again; the end of "
            f"{child.log}:\n{child.last_lines()}\n"
        )
        output.flush()


def watch(children: Sequence[ChildProcess], stop_signals: StopSignals, output: TextIO) -> None:
    """Show what they log, until a stop is requested. Raises ChildError when one that requests need ends."""
    tails = [_Tail(child, colour) for child, colour in zip(children, get_colours(), strict=False)]
    printer = Printer(output, width=max(len(child.name) for child in children))
    background = [child for child in children if child.name in BACKGROUND]
    needed = [child for child in children if child not in background]
    while not stop_signals.requested:
        require_alive(needed)
        for child in [each for each in background if each.process.poll() is not None]:
            report_ended(child, output)
            background.remove(child)
        for tail in tails:
            for line in tail.new_lines():
                with suppress(OSError):
                    printer.write(Message("line", line, datetime.now().astimezone(), tail.name, tail.colour))
        time.sleep(0.2)


class _Tail:
    """The lines of a log that weren't shown yet and are worth it: all but the informational ones."""

    def __init__(self, child: ChildProcess, colour: str) -> None:
        self.name = child.name
        self.colour = colour
        self._log = child.log
        self._seen = child.log.stat().st_size

    def new_lines(self) -> list[str]:
        with self._log.open("rb") as file:
            file.seek(self._seen)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._seen += len(whole) + len(newline)
        lines = whole.decode(errors="replace").splitlines()
        return [line for line in lines if line.strip() and not QUIET.search(line)]
