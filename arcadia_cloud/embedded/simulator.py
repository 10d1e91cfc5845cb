"""The simulated DigitalOcean as a process, behind the same two variables as the real one."""

import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from arcadia_cloud.embedded.children import Child, end_children, start_child
from arcadia_cloud.embedded.errors import ChildError
from arcadia_cloud.embedded.valkey import free_port
from simulator.world import DEFAULT_TOKEN

START_SECONDS = 30


@contextmanager
def simulator(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[Child, dict[str, str]]]:
    """Have it up for the block; yields the process and the variables that lead the client to it.

    ARCADIA_SIMULATOR_OPTIONS adds options of `python -m simulator`. Raises ChildError.
    """
    options = shlex.split(environment.get("ARCADIA_SIMULATOR_OPTIONS", ""))
    port = free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(port), *options]
    child = start_child("simulator", command, folder=folder)
    try:
        _wait_until_it_listens(child)
        yield child, {"DO_API_URL": f"http://127.0.0.1:{port}", "DO_API_TOKEN": DEFAULT_TOKEN}
    finally:
        end_children([child], within_seconds=5)


def _wait_until_it_listens(child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "simulator listening on" not in child.logged():
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise ChildError(f"the simulator did not come up; the end of {child.log}:\n{child.last_lines()}")
        time.sleep(0.05)
