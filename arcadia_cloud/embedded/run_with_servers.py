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
from arcadia_cloud.embedded.folder_lock import owned
from arcadia_cloud.embedded.proxies import past_proxies
from arcadia_cloud.embedded.servers import servers

PLACES = 16


def main() -> int:
    """Run the command and pass on its exit status; 128 + the signal's number when a signal ended it."""
    parser = argparse.ArgumentParser(prog="arcadia_cloud.embedded.run_with_servers", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the servers' data")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("no command was given")
    _on_end(_leave)
    os.environ.update(past_proxies(os.environ))
    try:
        with _free_place(arguments.state.resolve()) as folder, servers(folder, os.environ, _tell) as found:
            return _run(command, {**os.environ, **found, "ARCADIA_STATE_DIR": str(folder)})
    except EmbeddedError as problem:
        _tell(str(problem))
        return 1


@contextmanager
def _free_place(folder: Path) -> Iterator[Path]:
    """Own the folder, or the first free one of FOLDER.2, FOLDER.3, …"""
    for number in range(1, PLACES + 1):
        place = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        holding = owned(place)
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


def _on_end(answer: Callable[[int, FrameType | None], object]) -> None:
    """Answer SIGTERM and a closed terminal; under nohup the latter stays ignored."""
    signal.signal(signal.SIGTERM, answer)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, answer)


def _leave(number: int, _frame: FrameType | None) -> None:
    """While servers come up: unwind, so that they are stopped."""
    sys.exit(128 + number)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Ctrl-C reaches the command by itself, being in our process group; other ends are handed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(command, env=environment, preexec_fn=_default_interrupt)  # noqa: PLW1509
    except OSError as error:
        _tell(f"{command[0]} can't be run: {error.strerror}")
        return 127
    _on_end(lambda *_signal: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status


def _default_interrupt() -> None:
    """An ignored signal stays ignored over an exec."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
