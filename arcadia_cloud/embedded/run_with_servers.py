"""The command behind bin/test and bin/bench: another command with a PostgreSQL and a Valkey of its own.

`python -m arcadia_cloud.embedded.run_with_servers --state DIR -- COMMAND…`. Servers that DATABASE_URL and
REDIS_URL name are used instead. A second command on the same folder gets a folder beside it, so that two
test runs don't meet.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from arcadia_cloud.embedded.errors import EmbeddedError, FolderInUseError
from arcadia_cloud.embedded.folder_lock import lock_folder
from arcadia_cloud.embedded.proxies import no_proxy_variables
from arcadia_cloud.embedded.servers import run_servers

PLACES = 16


def main() -> int:
    """Run the command and return its exit status; 128 + the signal's number when a signal ended it."""
    parser = argparse.ArgumentParser(prog="arcadia_cloud.embedded.run_with_servers", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the servers' data")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("no command was given")
    # While servers come up, a signal unwinds the stack, so that they are stopped.
    _handle_end(lambda number, _frame: sys.exit(128 + number))
    os.environ.update(no_proxy_variables(os.environ))
    try:
        with (
            lock_free_folder(arguments.state.resolve()) as folder,
            run_servers(folder, os.environ, _print_line) as found,
        ):
            return run_command(command, {**os.environ, **found, "ARCADIA_STATE_DIR": str(folder)})
    except EmbeddedError as problem:
        _print_line(str(problem))
        return 1


@contextmanager
def lock_free_folder(folder: Path) -> Iterator[Path]:
    """Lock the folder, or the first free one of FOLDER.2, FOLDER.3, …"""
    for number in range(1, PLACES + 1):
        place = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        holding = lock_folder(place)
        try:
            holding.__enter__()
        except FolderInUseError:
            if number == PLACES:
                raise
            continue
        try:
            yield place
        finally:
            holding.__exit__(None, None, None)
        return


def _handle_end(handler: Callable[[int, FrameType | None], object]) -> None:
    """Handle SIGTERM and a closed terminal; under nohup the latter stays ignored."""
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handler)


def run_command(command: list[str], environment: dict[str, str]) -> int:
    # Ctrl-C reaches the command by itself, being in our process group; other ends are passed on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            # An ignored signal stays ignored over an exec.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
    except OSError as error:
        _print_line(f"{command[0]} can't be run: {error.strerror}")
        return 127
    _handle_end(lambda *_signal: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status


def _print_line(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
