"""The schedule's entries, registered by each app from its `AppConfig.ready()`.

Imports no model: apps import it before the models are loaded. `seeding` writes the entries.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """One scheduled task. One of `crontab` (minute hour day month weekday, UTC) or `every_seconds`.

    A run that no worker has taken up within `expires_seconds` is dropped: the next one does its work, and
    workers that come back needn't go through all that were missed. 0: none is.
    """

    name: str
    task: str
    queue: str
    crontab: str = ""
    every_seconds: int = 0
    expires_seconds: int = 0
    version: int = 1
    kwargs: str = "{}"  # a JSON object

    def __post_init__(self) -> None:
        if bool(self.crontab) == bool(self.every_seconds):
            raise ValueError(f"schedule entry {self.name!r} needs either a crontab or an interval")


_entries: dict[str, ScheduleEntry] = {}


def register_schedule(*entries: ScheduleEntry) -> None:
    """Add an app's entries; called from its `AppConfig.ready()`. A name stands once."""
    for entry in entries:
        if _entries.setdefault(entry.name, entry) != entry:
            raise ValueError(f"schedule entry {entry.name!r} is registered twice")


def registered_schedule() -> tuple[ScheduleEntry, ...]:
    """Return every app's entries, in the order of registration."""
    return tuple(_entries.values())
