"""The shutdown of a worker, as its tasks see it: a long one stops where a later run can go on."""

import mmap
from typing import Final

# One byte in memory that a worker's main process shares with those that it forks: a signal reaches only the
# former, the tasks run in the latter. Without a lock, since it is written in a signal handler.
_STOPPING: Final = mmap.mmap(-1, 1)


def request_stop() -> None:
    """Ask the tasks of this worker to stop. Called in its main process."""
    _STOPPING[0] = 1


def is_stopping() -> bool:
    """Return whether the worker was asked to stop."""
    return _STOPPING[0] == 1
