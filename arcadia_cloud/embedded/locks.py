"""One command at a time owns a state folder; when it dies, however it dies, its lock is free."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arcadia_cloud.embedded.children import EmbeddedError

LOCK = "lock"
PATIENCE_SECONDS = 1.0  # a look at the lock holds it for a moment


class FolderInUseError(EmbeddedError):
    """Another command owns the folder; `holder` is what it wrote about itself."""

    def __init__(self, folder: Path, holder: Mapping[str, Any]) -> None:
        super().__init__(f"{folder} is in use by process {holder.get('pid', 'unknown')}")
        self.holder = holder


@contextmanager
def owned(folder: Path, about: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Own the folder for the block. `about` is what others are told. Raises FolderInUseError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise FolderInUseError(folder, _about(path)) from None
                time.sleep(0.05)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), **(about or {})}))
        file.flush()
        yield


def _about(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
