"""The schedule as data: the registered entries, written into django-celery-beat.

What an operator changed, switched off or deleted in the console stays so: an entry is written once per
version, and only a new version of it is written again.
"""

from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from arcadia_cloud.kernel.models import SeededSchedule
from arcadia_cloud.kernel.queue.schedule.registry import registered_schedule
from arcadia_cloud.kernel.queue.schedule.times import Timing, schedule_rows, timing_of


# All or none: the entries of one version come in together.
@transaction.atomic
def seed_schedule() -> int:
    """Write the entries that this database hasn't seen in their present version; return how many.

    A new version keeps the operator's on/off switch and the time that an operator gave it, and a deleted
    entry stays deleted. Safe to run twice, and twice at once.
    """
    with connection.cursor() as cursor:
        # Beat's tables lack unique rules: two that seed at once would write every entry twice.
        cursor.execute("LOCK TABLE seeded_schedules IN SHARE ROW EXCLUSIVE MODE")
    known = {row.name: row for row in SeededSchedule.objects.all()}
    # What was seeded before times were noted: its time was that of its entry, in the same version.
    for entry in registered_schedule():
        row = known.get(entry.name)
        if row and not row.timing and row.version == entry.version:
            row.timing = Timing(entry.crontab, entry.every_seconds).text
            row.save(update_fields=["timing"])
    new = [
        entry
        for entry in registered_schedule()
        if entry.name not in known or entry.version > known[entry.name].version
    ]
    for entry in new:
        values: dict[str, object] = {
            "task": entry.task,
            "queue": entry.queue,
            "kwargs": entry.kwargs,
            "expire_seconds": entry.expires_seconds or None,
        }
        timing = Timing(entry.crontab, entry.every_seconds)
        task = PeriodicTask.objects.select_related("crontab", "interval").filter(name=entry.name).first()
        if task:
            seeded, now = known.get(entry.name), timing_of(task)
            # Another time than was seeded is an operator's.
            if not (seeded and seeded.timing) or (now and now.text == seeded.timing):
                values |= schedule_rows(timing)
            PeriodicTask.objects.filter(pk=task.pk).update(**values)
        elif entry.name not in known:  # known, and gone: an operator has deleted it
            PeriodicTask.objects.create(name=entry.name, **values, **schedule_rows(timing))
        SeededSchedule.objects.update_or_create(
            name=entry.name, defaults={"version": entry.version, "timing": timing.text}
        )
    if new:
        # `update` above sends no signal, and a beat that runs looks only at this mark.
        PeriodicTasks.update_changed()
    return len(new)
