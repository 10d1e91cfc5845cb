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

from arcadia_cloud.embedded.child_processes import ChildProcess, stop_leftovers
from arcadia_cloud.embedded.errors import EmbeddedError, FolderInUseError, ProductionError
from arcadia_cloud.embedded.folder_lock import lock_folder
from arcadia_cloud.embedded.proxies import no_proxy_variables
from arcadia_cloud.embedded.servers import read_variable, run_servers
from arcadia_cloud.embedded.simulator import run_finance_stub, run_simulator
from arcadia_cloud.embedded.stack import require_free_port, run_processes, watch
from arcadia_cloud.embedded.state import (
    DEFAULT_FOLDER,
    TOKEN_VARIABLES,
    missing_variables,
    read_running_stack,
    remove_stack_file,
    state_dir,
    write_stack_file,
)
from arcadia_cloud.embedded.stop_signals import StoppedError, StopSignals

MANAGE = (sys.executable, "manage.py")
JOINING_SECONDS = 180
DEFAULT_PORT = 4005
LAST_PORT = 65_535


def main() -> int:
    """Return 0 after Ctrl-C or a job that went well; 1 when the stack can't come or stay up."""
    parser = argparse.ArgumentParser(prog="bin/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="run the main job one time and exit")
    parser.add_argument("--json", action="store_true", help="with --once: one JSON object per stage and line")
    arguments = parser.parse_args()
    if arguments.json and not arguments.once:
        parser.error("--json goes with --once")
    try:
        refuse_production(os.environ)
        os.environ.update(no_proxy_variables(os.environ))
        stop_signals = StopSignals()
        return run_once(stop_signals, json=arguments.json) if arguments.once else run_stack(stop_signals)
    except StoppedError:
        print_line("stopped")
        return 130 if arguments.once else 0
    except EmbeddedError as problem:
        print_line(f"bin/run: {problem}")
        return 1


def refuse_production(environment: Mapping[str, str]) -> None:
    """Raise ProductionError where the environment is production."""
    if read_variable(environment, "ARCADIA_ENV") == "production":
        raise ProductionError(
            "ARCADIA_ENV is production, and bin/run is for development: it starts servers and a login of its "
            "own. In production start the processes of compose.yaml"
        )


def run_stack(stop_signals: StopSignals) -> int:
    """Bring everything up, print where it is, and keep it until a stop is requested."""
    folder = state_dir()
    port = read_port(os.environ)
    url = f"http://127.0.0.1:{port}"
    try:
        with lock_folder(folder, {"kind": "run", "url": url}):
            remove_stack_file(folder)  # a killed one's addresses; stopping what it left takes a while
            for name in stop_leftovers(folder):
                print_line(f"ended {name}, left behind by a run that was killed")
            require_free_port(port)
            with run_environment(folder, stop_signals, sync=True) as (environment, servers_up):
                print_line("starting the web server, the workers and beat")
                with run_processes(folder, environment, port, stop_signals) as started:
                    print_line(welcome_text(url, folder, environment), sys.stdout)
                    watch([*started, *servers_up], stop_signals, sys.stderr)
                    print_line("stopping")
    except FolderInUseError as error:
        raise EmbeddedError(already_up_text(error.holder)) from error
    print_line("stopped; nothing is left running")
    return 0


def run_once(stop_signals: StopSignals, *, json: bool) -> int:
    """Run the main job, on the stack that is up or else on one made for it; return its exit status."""
    folder = state_dir()
    command = [*MANAGE, "run_once", *(["--json"] if json else [])]
    try:
        with (
            lock_folder(folder, {"kind": "once"}),
            run_environment(folder, stop_signals) as (environment, _servers),
        ):
            return stop_signals.run(command, with_quiet_log(environment))
    except FolderInUseError as error:
        if error.holder.get("kind") == "once":
            raise EmbeddedError(already_up_text(error.holder)) from error
        print_line(f"using the stack that is up (process {error.holder.get('pid', 'unknown')})")
        stack = wait_for_stack(folder, stop_signals)
        return stop_signals.run(command, with_quiet_log({**os.environ, **stack}))


def wait_for_stack(folder: Path, stop_signals: StopSignals) -> dict[str, str]:
    """Return the variables of the stack that is up or coming up, but for those that are set here."""
    deadline = time.monotonic() + JOINING_SECONDS
    while time.monotonic() < deadline:
        stop_signals.check()
        if stack := read_running_stack(folder):
            return missing_variables(stack, os.environ)
        time.sleep(0.2)
    raise EmbeddedError(f"the bin/run that owns {folder} did not come up within {JOINING_SECONDS} s")


@contextmanager
def run_environment(
    folder: Path, stop_signals: StopSignals, *, sync: bool = False
) -> Iterator[tuple[dict[str, str], list[ChildProcess]]]:
    """Servers, simulator and a migrated, seeded database for the block. Call it with the folder locked.

    Yields the variables that lead to them, and their processes. With `sync`, a sync of every kind is
    left in the queue for the workers.
    """
    simulated = not any(read_variable(os.environ, name) for name in TOKEN_VARIABLES)
    if simulated and read_variable(os.environ, "DO_API_URL"):
        raise EmbeddedError("DO_API_URL is set but no DO_API_TOKEN: set both, or neither for the simulator")
    remove_stack_file(folder)
    started: list[ChildProcess] = []
    print_line("PostgreSQL and Valkey")
    with (
        run_servers(folder, os.environ, print_line, check=stop_signals.check, started=started) as addresses,
        ExitStack() as ending,
    ):
        found = dict(addresses)
        if simulated:
            stop_signals.check()
            print_line("the simulated DigitalOcean")
            children, variables = ending.enter_context(run_simulator(folder, os.environ))
            started += children
            found |= variables
        if not read_variable(os.environ, "SKYAI_FINANCE_URL"):
            stop_signals.check()
            print_line("a stub of the finance service")
            children, variables = ending.enter_context(run_finance_stub(folder, os.environ))
            started += children
            found |= variables
        environment = {
            **os.environ,
            **found,
            "ARCADIA_STATE_DIR": str(folder),
            "ARCADIA_OPERATOR_PASSWORD": read_operator_password(folder),
            "PYTHONUNBUFFERED": "1",
        }
        set_up(environment, stop_signals, simulated=simulated, sync=sync)
        # Called before the servers stop: no other command is led to one that is going away.
        ending.callback(remove_stack_file, folder)
        write_stack_file(folder, found)
        yield environment, started


def set_up(environment: Mapping[str, str], stop_signals: StopSignals, *, simulated: bool, sync: bool) -> None:
    """Migrate and seed; the command prints what it does. On stderr: stdout is for the job's results."""
    command = [*MANAGE, "set_up", *(["--demo"] if simulated else []), *(["--sync"] if sync else [])]
    if stop_signals.run(command, with_quiet_log(environment), stdout=sys.stderr.fileno()):
        raise EmbeddedError("the set-up failed; the lines above say why")


def with_quiet_log(environment: Mapping[str, str]) -> dict[str, str]:
    """Lower the log level for commands that print their own progress."""
    return {**environment, "ARCADIA_LOG_LEVEL": environment.get("ARCADIA_LOG_LEVEL") or "WARNING"}


def read_port(environment: Mapping[str, str]) -> int:
    """Return the web server's port: ARCADIA_PORT, else 4005."""
    text = environment.get("ARCADIA_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise EmbeddedError(f"ARCADIA_PORT is {text!r}; it must be a port, 1 to {LAST_PORT}")
    return int(text)


def read_operator_password(folder: Path) -> str:
    """Return the password of the console's login: ARCADIA_OPERATOR_PASSWORD, else one made once and kept."""
    if password := os.environ.get("ARCADIA_OPERATOR_PASSWORD"):
        return password
    path = folder / "operator-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def already_up_text(holder: Mapping[str, str]) -> str:
    """Return the message of a second one."""
    command = "bin/run --once" if holder.get("kind") == "once" else "bin/run"
    at = f" at {holder['url']}" if "url" in holder else ""
    return (
        f"a {command} is up already{at} (process {holder.get('pid', 'unknown')}). Stop it with Ctrl-C there, "
        "or set ARCADIA_STATE_DIR and ARCADIA_PORT to have a second one beside it"
    )


def welcome_text(url: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the addresses and the login. Run from the project's folder, manage.py finds this stack."""
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


def print_line(line: str, output: TextIO = sys.stderr) -> None:
    """Print to the terminal."""
    # One that has gone away must not keep the stack from stopping cleanly.
    with suppress(OSError):
        output.write(f"{line}\n")
        output.flush()


if __name__ == "__main__":
    sys.exit(main())
