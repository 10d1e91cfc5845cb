"""The command behind bin/run: the whole stack on one machine, or with --once its main job one time.

The state folder belongs to one bin/run at a time. What a killed one left running is ended first.
"""

import argparse
import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from arcadia_cloud.embedded.child_processes import Child, end_leftovers
from arcadia_cloud.embedded.errors import EmbeddedError, FolderInUseError, ProductionError
from arcadia_cloud.embedded.folder_lock import owned
from arcadia_cloud.embedded.proxies import past_proxies
from arcadia_cloud.embedded.servers import given, servers
from arcadia_cloud.embedded.simulator import finance, simulator
from arcadia_cloud.embedded.stack import processes, require_free, watch
from arcadia_cloud.embedded.state import (
    DEFAULT_FOLDER,
    TOKEN_VARIABLES,
    forget_stack,
    left_open,
    running_stack,
    state_dir,
    write_stack,
)
from arcadia_cloud.embedded.stop_signals import Interruption, StoppedError

MANAGE = (sys.executable, "manage.py")
JOINING_SECONDS = 180
DEFAULT_PORT = 4005
LAST_PORT = 65_535


def main() -> int:
    """0 after Ctrl-C or a job that went well; 1 with words when the stack can't come or stay up."""
    parser = argparse.ArgumentParser(prog="bin/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="run the main job one time and exit")
    parser.add_argument("--json", action="store_true", help="with --once: one JSON object per stage and line")
    arguments = parser.parse_args()
    if arguments.json and not arguments.once:
        parser.error("--json goes with --once")
    try:
        refuse_production(os.environ)
        os.environ.update(past_proxies(os.environ))
        interruption = Interruption()
        return run_once(interruption, json=arguments.json) if arguments.once else run_stack(interruption)
    except StoppedError:
        tell("stopped")
        return 130 if arguments.once else 0
    except EmbeddedError as problem:
        tell(f"bin/run: {problem}")
        return 1


def refuse_production(environment: Mapping[str, str]) -> None:
    """Raise ProductionError there."""
    if given(environment, "ARCADIA_ENV") == "production":
        raise ProductionError(
            "ARCADIA_ENV is production, and bin/run is for development: it starts servers and a login of its "
            "own. In production start the processes of compose.yaml"
        )


def run_stack(interruption: Interruption) -> int:
    """Bring everything up, show where it is, and keep it until somebody asks to stop."""
    folder = state_dir()
    port = port_of(os.environ)
    url = f"http://127.0.0.1:{port}"
    try:
        with owned(folder, {"kind": "run", "url": url}):
            forget_stack(folder)  # a killed one's addresses; ending what it left takes a while
            for name in end_leftovers(folder):
                tell(f"ended {name}, left behind by a run that was killed")
            require_free(port)
            with surroundings(folder, interruption, sync=True) as (environment, servers_up):
                tell("starting the web server, the workers and beat")
                with processes(folder, environment, port, interruption) as started:
                    tell(welcome(url, folder, environment), sys.stdout)
                    watch([*started, *servers_up], interruption, sys.stderr)
                    tell("stopping")
    except FolderInUseError as error:
        raise EmbeddedError(already_up(error.holder)) from error
    tell("stopped; nothing is left running")
    return 0


def run_once(interruption: Interruption, *, json: bool) -> int:
    """Run the main job, on the stack that is up or else on one made for it; pass on its exit status."""
    folder = state_dir()
    command = [*MANAGE, "run_once", *(["--json"] if json else [])]
    try:
        with owned(folder, {"kind": "once"}), surroundings(folder, interruption) as (environment, _servers):
            return interruption.run(command, with_quiet_log(environment))
    except FolderInUseError as error:
        if error.holder.get("kind") == "once":
            raise EmbeddedError(already_up(error.holder)) from error
        tell(f"using the stack that is up (process {error.holder.get('pid', 'unknown')})")
        stack = joined(folder, interruption)
        return interruption.run(command, with_quiet_log({**os.environ, **stack}))


def joined(folder: Path, interruption: Interruption) -> dict[str, str]:
    """The variables of the stack that is up or coming up, but for those that are set here."""
    deadline = time.monotonic() + JOINING_SECONDS
    while time.monotonic() < deadline:
        interruption.check()
        if stack := running_stack(folder):
            return left_open(stack, os.environ)
        time.sleep(0.2)
    raise EmbeddedError(f"the bin/run that owns {folder} did not come up within {JOINING_SECONDS} s")


@contextmanager
def surroundings(
    folder: Path, interruption: Interruption, *, sync: bool = False
) -> Iterator[tuple[dict[str, str], list[Child]]]:
    """Servers, simulator and a migrated, seeded database for the block. Call it with the folder owned.

    Yields the variables that lead to them, and their processes. With `sync`, a sync of every kind is
    left in the queue for the workers.
    """
    simulated = not any(given(os.environ, name) for name in TOKEN_VARIABLES)
    if simulated and given(os.environ, "DO_API_URL"):
        raise EmbeddedError("DO_API_URL is set but no DO_API_TOKEN: set both, or neither for the simulator")
    forget_stack(folder)
    started: list[Child] = []
    tell("PostgreSQL and Valkey")
    with (
        servers(folder, os.environ, tell, check=interruption.check, started=started) as addresses,
        ExitStack() as ending,
    ):
        found = dict(addresses)
        if simulated:
            interruption.check()
            tell("the simulated DigitalOcean")
            children, variables = ending.enter_context(simulator(folder, os.environ))
            started += children
            found |= variables
        if not given(os.environ, "SKYAI_FINANCE_URL"):
            interruption.check()
            tell("a stub of the finance service")
            children, variables = ending.enter_context(finance(folder, os.environ))
            started += children
            found |= variables
        environment = {
            **os.environ,
            **found,
            "ARCADIA_STATE_DIR": str(folder),
            "ARCADIA_OPERATOR_PASSWORD": operator_password(folder),
            "PYTHONUNBUFFERED": "1",
        }
        set_up(environment, interruption, simulated=simulated, sync=sync)
        ending.callback(forget_stack, folder)
        write_stack(folder, found)
        yield environment, started


def set_up(
    environment: Mapping[str, str], interruption: Interruption, *, simulated: bool, sync: bool
) -> None:
    """Migrate and seed; the command tells what it does. On stderr, for stdout is the job's answer."""
    command = [*MANAGE, "set_up", *(["--demo"] if simulated else []), *(["--sync"] if sync else [])]
    if interruption.run(command, with_quiet_log(environment), stdout=sys.stderr.fileno()):
        raise EmbeddedError("the set-up failed; the lines above say why")


def with_quiet_log(environment: Mapping[str, str]) -> dict[str, str]:
    """For commands that tell their progress themselves."""
    return {**environment, "ARCADIA_LOG_LEVEL": environment.get("ARCADIA_LOG_LEVEL") or "WARNING"}


def port_of(environment: Mapping[str, str]) -> int:
    """The web server's port: ARCADIA_PORT, else 4005."""
    text = environment.get("ARCADIA_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise EmbeddedError(f"ARCADIA_PORT is {text!r}; it must be a port, 1 to {LAST_PORT}")
    return int(text)


def operator_password(folder: Path) -> str:
    """The password of the console's login: ARCADIA_OPERATOR_PASSWORD, else one made once and kept."""
    if password := os.environ.get("ARCADIA_OPERATOR_PASSWORD"):
        return password
    path = folder / "operator-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def already_up(holder: Mapping[str, str]) -> str:
    """What the second one says."""
    command = "bin/run --once" if holder.get("kind") == "once" else "bin/run"
    at = f" at {holder['url']}" if "url" in holder else ""
    return (
        f"a {command} is up already{at} (process {holder.get('pid', 'unknown')}). Stop it with Ctrl-C there, "
        "or set ARCADIA_STATE_DIR and ARCADIA_PORT to have a second one beside it"
    )


def welcome(url: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Where everything is, and how to get in. Run from the project's folder, manage.py finds this stack."""
    elsewhere = "" if folder == DEFAULT_FOLDER else f"ARCADIA_STATE_DIR={shlex.quote(str(folder))} "
    return f"""
arcadia-cloud is up.

  console   {url}/admin/   operator / {environment["ARCADIA_OPERATOR_PASSWORD"]}
  API       {url}/api/docs
  health    {url}/api/health/ready
  token     {elsewhere}.venv/bin/python manage.py issue_token --role platform_admin
  logs      {folder / "logs"}

Warnings and errors follow here. Ctrl-C stops everything.
"""


def tell(line: str, output: TextIO = sys.stderr) -> None:
    """To the terminal. One that has gone away must not keep the stack from stopping cleanly."""
    with suppress(OSError):
        output.write(f"{line}\n")
        output.flush()


if __name__ == "__main__":
    sys.exit(main())
