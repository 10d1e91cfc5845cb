"""bin/run as a process of its own, in a state folder of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from arcadia_cloud.embedded.state import PROJECT
from arcadia_cloud.embedded.valkey import free_port

START_SECONDS = 240
FOREIGN = ("DATABASE_URL", "REDIS_URL", "DO_API_URL", "DO_API_TOKEN", "SKYAI_FINANCE_URL")


@dataclass(frozen=True, slots=True)
class Place:
    """A state folder and a port of a stack."""

    folder: Path
    port: int

    @classmethod
    def free(cls, folder: Path) -> "Place":
        return cls(folder, free_port())

    def environment(self, **extra: str) -> dict[str, str]:
        """As a user's shell has it, but for where this stack lives."""
        own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return {**own, "ARCADIA_STATE_DIR": str(self.folder), "ARCADIA_PORT": str(self.port), **extra}

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """bin/run to its end."""
        return subprocess.run(
            ["sh", "bin/run", *arguments],  # noqa: S607 - the system's shell
            cwd=PROJECT,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def processes(self) -> list[psutil.Process]:
        """Every process that belongs to this stack."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                named = str(self.folder) in " ".join(process.cmdline())
                if named or process.environ().get("ARCADIA_STATE_DIR") == str(self.folder):
                    found.append(process)
        return [process for process in found if process.pid != os.getpid()]


@dataclass(slots=True)
class RunningStack:
    """A bin/run that is up."""

    place: Place
    process: subprocess.Popen[bytes]
    output: Path

    def read_output(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def end(self, by: signal.Signals) -> int:
        """Send the runner a signal and wait for it to end; its exit status."""
        self.process.send_signal(by)
        return self.process.wait(timeout=60)

    def child(self, words: str) -> psutil.Process:
        """The stack's process whose command holds these words; the oldest of several."""
        matching = [one for one in self.place.processes() if words in " ".join(one.cmdline())]
        return min(matching, key=psutil.Process.create_time)


@contextmanager
def running(place: Place, **extra: str) -> Iterator[RunningStack]:
    """Run bin/run until it is up; whatever is left of it at the end of the block is killed."""
    output = place.folder / f"output-{time.monotonic_ns()}"
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["sh", "bin/run"],  # noqa: S607 - the system's shell
            cwd=PROJECT,
            env=place.environment(**extra),
            stdout=file,
            stderr=file,
        )
    stack = RunningStack(place, process, output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "arcadia-cloud is up" not in stack.read_output():
            assert process.poll() is None, stack.read_output()
            assert time.monotonic() < deadline, stack.read_output()
            time.sleep(0.1)
        yield stack
    finally:
        for left in place.processes():
            with suppress(psutil.NoSuchProcess):
                left.kill()
        process.wait(timeout=10)
