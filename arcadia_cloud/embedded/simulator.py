"""The simulated DigitalOcean and finance as processes, behind the same variables as the real ones."""

import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.errors import ChildError, EmbeddedError
from arcadia_cloud.embedded.servers import read_variable
from arcadia_cloud.embedded.valkey import free_port
from simulator.finance.app import DEFAULT_SECRET
from simulator.simulation import DEFAULT_TOKEN, SPACES_KEY, SPACES_SECRET

SPACES_VARIABLES = ("SPACES_KEY", "SPACES_SECRET")
START_SECONDS = 30
_ANY_CALENDAR_SECONDS: Final = str(10**9)  # `--today` may be years from today


@contextmanager
def run_simulator(
    folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[list[ChildProcess], dict[str, str]]]:
    """Run it for the block; yields the processes and the variables that lead the clients to them.

    Its Spaces are a process of their own, which doesn't start where `environment` has keys of real ones.
    ARCADIA_SIMULATOR_OPTIONS adds options of `python -m simulator`. Raises EmbeddedError.
    """
    try:
        options = shlex.split(environment.get("ARCADIA_SIMULATOR_OPTIONS", ""))
    except ValueError as error:
        raise EmbeddedError(f"ARCADIA_SIMULATOR_OPTIONS can't be read: {error}") from error
    port, spaces_port = free_port(), free_port()
    variables = {
        "DO_API_URL": f"http://127.0.0.1:{port}",
        "DO_API_TOKEN": DEFAULT_TOKEN,
        "ARCADIA_SAGA_CLOCK_SLACK_SECONDS": _ANY_CALENDAR_SECONDS,
    }
    commands = {"simulator": [sys.executable, "-m", "simulator", "--port", str(port), *options]}
    if needs_spaces(environment):
        commands["spaces"] = [sys.executable, "-m", "simulator.spaces", "--port", str(spaces_port), *options]
        variables |= {
            "SPACES_ENDPOINT_URL": f"http://127.0.0.1:{spaces_port}/{{region}}",
            "SPACES_KEY": SPACES_KEY,
            "SPACES_SECRET": SPACES_SECRET,
        }
    children: list[ChildProcess] = []
    try:
        for name, command in commands.items():
            children.append(start_child(name, command, folder=folder))
        for child in children:
            _wait_until_it_listens(child)
        yield children, variables
    finally:
        stop_children(children, within_seconds=5)


@contextmanager
def run_finance_stub(
    folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[list[ChildProcess], dict[str, str]]]:
    """Run a stub of the finance service for the block; yields its process and the variables to it.

    Its rows outlive it, in the state folder. It takes the tokens that `environment` has us sign. Raises
    EmbeddedError.
    """
    port, secret = free_port(), read_variable(environment, "SKYAI_FINANCE_JWT_SECRET") or DEFAULT_SECRET
    variables = {"SKYAI_FINANCE_URL": f"http://127.0.0.1:{port}", "SKYAI_FINANCE_JWT_SECRET": secret}
    command = [sys.executable, "-m", "simulator.finance", "--port", str(port)]
    command += ["--rows", str(folder / "finance.sqlite3")]
    child = start_child("finance", command, folder=folder, environment={**environment, **variables})
    try:
        _wait_until_it_listens(child)
        yield [child], variables
    finally:
        stop_children([child], within_seconds=5)


def needs_spaces(environment: Mapping[str, str]) -> bool:
    """Return whether there are no keys of real Spaces. Raises EmbeddedError for an endpoint without keys."""
    if any(read_variable(environment, name) for name in SPACES_VARIABLES):
        return False
    if environment.get("SPACES_ENDPOINT_URL"):
        raise EmbeddedError(
            "SPACES_ENDPOINT_URL is set but no SPACES_KEY: set both, or neither for the simulator"
        )
    return True


def _wait_until_it_listens(child: ChildProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while f"{child.name} listening on" not in child.logged():
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise ChildError(
                f"the {child.name} process did not come up; the end of {child.log}:\n{child.last_lines()}"
            )
        time.sleep(0.05)
