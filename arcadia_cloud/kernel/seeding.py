"""The schedule as data: the registered entries, written into django-celery-beat.

What an operator changed, switched off or deleted in the console stays so: an entry is written once per
version, and only a new version of it is written again.
"""

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from arcadia_cloud.kernel.models import SeededSchedule
from arcadia_cloud.kernel.schedule import ScheduleEntry, registered


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
            minute=minute,
            hour=hour,
            day_of_month=day,
            month_of_year=month,
            day_of_week=weekday,
            timezone="UTC",
        )
    else:
        timing["interval"], _ = IntervalSchedule.objects.get_or_create(
            every=entry.every_seconds, period=IntervalSchedule.SECONDS
        )
    PeriodicTask.objects.update_or_create(
        name=entry.name,
        defaults={"task": entry.task, "queue": entry.queue, "kwargs": entry.kwargs, **timing},
    )
