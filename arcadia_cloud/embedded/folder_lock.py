"""The lock of a state folder: one command at a time has it; when it dies, however it dies, it is free."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from arcadia_cloud.embedded.errors import EmbeddedError, FolderInUseError

LOCK = "lock"
WAIT_SECONDS = 1.0  # `is_locked` holds the lock for a moment


@contextmanager
def lock_folder(folder: Path, about: Mapping[str, str] | None = None) -> Iterator[None]:
    """Lock the folder for the block, making it first. `about` is what others read of the holder.

    Raises FolderInUseError when another process has the lock.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise EmbeddedError(
            f"can't write in {folder} ({error.strerror}): it may belong to another user; "
            "set ARCADIA_STATE_DIR to a folder of yours"
        ) from error
    with file:
        deadline = time.monotonic() + WAIT_SECONDS
        while not _try_lock(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = _read_holder(path)
                raise FolderInUseError(f"{folder} is in use by process {holder.get('pid', '?')}", holder)
            time.sleep(0.05)
        file.truncate(0)
        file.write(json.dumps({"pid": str(os.getpid()), **(about or {})}))
        file.flush()
        yield


def is_locked(folder: Path) -> bool:
    """Return whether a process has the lock now."""
    try:
        with (folder / LOCK).open(encoding="utf-8") as file:
            return not _try_lock(file.fileno(), fcntl.LOCK_SH)
    except OSError:
        return False


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        # The kernel frees it when the process dies, even by SIGKILL; a file with a pid would stay.
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(path: Path) -> dict[str, str]:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    # Whoever holds the lock may be writing its name right now.
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in holder.items()} if isinstance(holder, dict) else {}
