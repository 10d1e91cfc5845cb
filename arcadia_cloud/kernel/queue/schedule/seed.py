"""The schedule as data: the registered entries, written into django-celery-beat.

What an operator changed, switched off or deleted in the console stays so: an entry is written once per
version, and only a new version of it is written again.
"""

from django.db import connection, transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from arcadia_cloud.kernel.models import SeededSchedule
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, registered_schedule


# All or none: the entries of one version come in together.
@transaction.atomic
def seed_schedule() -> int:
    """Write the entries that this database hasn't seen in their present version; return how many.

    A new version keeps the operator's on/off switch, and a deleted entry stays deleted. Safe to run
    twice, and twice at once.
    """
    with connection.cursor() as cursor:
        # Beat's tables lack unique rules: two that seed at once would write every entry twice.
        cursor.execute("LOCK TABLE seeded_schedules IN SHARE ROW EXCLUSIVE MODE")
    known = {row.name: row.version for row in SeededSchedule.objects.all()}
    new = [entry for entry in registered_schedule() if entry.version > known.get(entry.name, 0)]
    for entry in new:
        values = {
            "task": entry.task,
            "queue": entry.queue,
            "kwargs": entry.kwargs,
            "expire_seconds": entry.expires_seconds or None,
            **_timing(entry),
        }
        tasks = PeriodicTask.objects.filter(name=entry.name)
        if tasks.exists():
            tasks.update(**values)
        elif entry.name not in known:  # known, and gone: an operator has deleted it
            PeriodicTask.objects.create(name=entry.name, **values)
        SeededSchedule.objects.update_or_create(name=entry.name, defaults={"version": entry.version})
    if new:
        # `update` above sends no signal, and a beat that runs looks only at this mark.
        PeriodicTasks.update_changed()
    return len(new)


def _timing(entry: ScheduleEntry) -> dict[str, object]:
    """Return the entry's time, and no other kind beside it. An equal row that an operator made is shared."""
    none: dict[str, object] = {"crontab": None, "interval": None, "solar": None, "clocked": None}
    if entry.crontab:
        names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        fields = {**dict(zip(names, entry.crontab.split(), strict=True)), "timezone": "UTC"}
        found = CrontabSchedule.objects.filter(**fields).first()
        return {**none, "crontab": found or CrontabSchedule.objects.create(**fields)}
    every = {"every": entry.every_seconds, "period": IntervalSchedule.SECONDS}
    interval = IntervalSchedule.objects.filter(**every).first()
    return {**none, "interval": interval or IntervalSchedule.objects.create(**every)}
