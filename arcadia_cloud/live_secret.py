"""Secrets whose files may be replaced while the process runs."""

import os
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class LiveSecret:
    """A secret that NAME_FILE may name: it is opened by its path at each use.

    Mounted secrets are rotated by a rename, and a file that was opened before stays the old one.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = ""
        self._problem = ""

    @property
    def has_file(self) -> bool:
        """Return whether the secret comes from a file; a variable with a value comes first."""
        return not os.environ.get(self._name) and bool(os.environ.get(f"{self._name}_FILE"))

    def value(self, at_start: str, *, at_least_bytes: int = 1) -> str:
        """Return what the file holds now; `at_start`, as the settings have it, where there is no file.

        A file that is missing, unreadable or shorter than allowed leaves the value of before, with one line
        in the log: a rotation that went wrong must neither stop the service nor weaken it.
        """
        if not self.has_file:
            return at_start
        path = os.environ[f"{self._name}_FILE"]
        try:
            found = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            problem = f"can't be read: {error.strerror}"
        except UnicodeDecodeError:
            problem = "is not UTF-8 text"
        else:
            problem = "" if len(found.encode()) >= at_least_bytes else "is empty or too short"
            self._last = self._last if problem else found
        if problem and problem != self._problem:
            log.error("secret_file_unusable", name=f"{self._name}_FILE", path=path, problem=problem)
        self._problem = problem
        return self._last or at_start
