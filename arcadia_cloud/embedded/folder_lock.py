"""One command at a time owns a state folder; when it dies, however it dies, its lock is free."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from arcadia_cloud.embedded.errors import EmbeddedError, FolderInUseError

LOCK = "lock"
PATIENCE_SECONDS = 1.0  # `is_owned` holds the lock for a moment


@contextmanager
def owned(folder: Path, about: Mapping[str, str] | None = None) -> Iterator[None]:
    """Own the folder for the block, making it first. `about` is what others are told.

    Raises FolderInUseError when another process owns it.
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
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = _about(path)
                raise FolderInUseError(f"{folder} is in use by process {holder.get('pid', '?')}", holder)
            time.sleep(0.05)
        file.truncate(0)
        file.write(json.dumps({"pid": str(os.getpid()), **(about or {})}))
        file.flush()
        yield


def is_owned(folder: Path) -> bool:
    """Whether a process owns the folder now."""
    try:
        with (folder / LOCK).open(encoding="utf-8") as file:
            return not _locked(file.fileno(), fcntl.LOCK_SH)
    except OSError:
        return False


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _about(path: Path) -> dict[str, str]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in said.items()} if isinstance(said, dict) else {}
