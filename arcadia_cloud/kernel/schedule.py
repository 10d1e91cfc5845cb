"""The schedule as data: each app registers its entries, a seeding writes them into django-celery-beat.

What an operator changed, switched off or deleted in the console stays so: an entry is written once per
version, and only a new version of it is written again.
"""

from dataclasses import dataclass

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from arcadia_cloud.kernel.models import SeededSchedule


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """One scheduled task. Exactly one of `crontab` (minute hour day month weekday, UTC) or `every_seconds`."""

    name: str
    task: str
    queue: str
    crontab: str = ""
    every_seconds: int = 0
    version: int = 1
    kwargs: str = "{}"  # a JSON object

    def __post_init__(self) -> None:
        if bool(self.crontab) == bool(self.every_seconds):
            raise ValueError(f"schedule entry {self.name!r} needs either a crontab or an interval")


_entries: dict[str, ScheduleEntry] = {}


def register(*entries: ScheduleEntry) -> None:
    """Add an app's entries; called from its `AppConfig.ready()`. A name stands once."""
    for entry in entries:
        if _entries.setdefault(entry.name, entry) != entry:
            raise ValueError(f"schedule entry {entry.name!r} is registered twice")


def registered() -> tuple[ScheduleEntry, ...]:
    """Every app's entries, in the order of registration."""
    return tuple(_entries.values())


@transaction.atomic
def seed_schedule() -> int:
    """Write the entries that this database hasn't seen in their present version; return how many.

    A new version keeps the operator's on/off switch. Safe to run twice, and twice at once.
    """
    known = {row.name: row for row in SeededSchedule.objects.select_for_update()}
    written = 0
    for entry in registered():
        seeded = known.get(entry.name)
        if seeded is not None and seeded.version >= entry.version:
            continue
        _write(entry)
        SeededSchedule.objects.update_or_create(name=entry.name, defaults={"version": entry.version})
        written += 1
    if written:
        PeriodicTasks.update_changed()
    return written


def _write(entry: ScheduleEntry) -> None:
    timing: dict[str, object] = {"crontab": None, "interval": None}
    if entry.crontab:
        minute, hour, day, month, weekday = entry.crontab.split()
        timing["crontab"], _ = CrontabSchedule.objects.get_or_create(
            minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday, timezone="UTC"
        )
    else:
        timing["interval"], _ = IntervalSchedule.objects.get_or_create(
            every=entry.every_seconds, period=IntervalSchedule.SECONDS
        )
    PeriodicTask.objects.update_or_create(
        name=entry.name,
        defaults={"task": entry.task, "queue": entry.queue, "kwargs": entry.kwargs, **timing},
    )
