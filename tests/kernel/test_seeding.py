"""The schedule in the database: seeded once per version, the operator's afterwards."""

from dataclasses import replace

import pytest
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from arcadia_cloud.kernel.models import SeededSchedule
from arcadia_cloud.kernel.queue.schedule import registry
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule, registered_schedule
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db
NIGHTLY = ScheduleEntry(name="test: nightly", task="test.nightly", queue="metering", crontab="10 1 * * *")
OFTEN = ScheduleEntry(name="test: often", task="test.often", queue="provisioning", every_seconds=10)


@pytest.fixture(autouse=True)
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, ScheduleEntry]:
    """A registry of the test's own, with two entries."""
    entries: dict[str, ScheduleEntry] = {}
    monkeypatch.setattr(registry, "_entries", entries)
    register_schedule(NIGHTLY, OFTEN)
    return entries


def newer(entry: ScheduleEntry, **changes: object) -> ScheduleEntry:
    values = {name: getattr(entry, name) for name in ScheduleEntry.__slots__}
    return ScheduleEntry(**{**values, "version": entry.version + 1, **changes})


def test_the_entries_are_written_with_their_time_and_queue() -> None:
    assert seed_schedule() == 2
    nightly, often = PeriodicTask.objects.get(name=NIGHTLY.name), PeriodicTask.objects.get(name=OFTEN.name)
    assert (nightly.task, nightly.queue, nightly.enabled) == ("test.nightly", "metering", True)
    assert (nightly.crontab.hour, nightly.crontab.minute, str(nightly.crontab.timezone)) == ("1", "10", "UTC")
    assert (often.interval.every, often.interval.period, often.crontab) == (10, "seconds", None)


def test_a_run_that_nobody_takes_up_expires_where_the_entry_says_so(
    entries: dict[str, ScheduleEntry],
) -> None:
    entries[OFTEN.name] = replace(OFTEN, expires_seconds=30)
    seed_schedule()
    assert PeriodicTask.objects.get(name=OFTEN.name).expire_seconds == 30
    assert PeriodicTask.objects.get(name=NIGHTLY.name).expire_seconds is None


def test_seeding_again_writes_nothing_and_wakes_no_beat() -> None:
    seed_schedule()
    before = PeriodicTasks.last_change()
    assert seed_schedule() == 0
    assert PeriodicTasks.last_change() == before


def test_what_an_operator_changed_switched_off_or_deleted_stays_so() -> None:
    seed_schedule()
    PeriodicTask.objects.filter(name=NIGHTLY.name).update(
        enabled=False, queue="cloud_billing", kwargs='{"a": 1}'
    )
    PeriodicTask.objects.filter(name=OFTEN.name).delete()
    assert seed_schedule() == 0
    changed = PeriodicTask.objects.get(name=NIGHTLY.name)
    assert (changed.enabled, changed.queue, changed.kwargs) == (False, "cloud_billing", '{"a": 1}')
    assert not PeriodicTask.objects.filter(name=OFTEN.name).exists()


def test_a_new_version_is_written_but_keeps_the_switch_and_revives_nothing(
    entries: dict[str, ScheduleEntry],
) -> None:
    seed_schedule()
    PeriodicTask.objects.filter(name=NIGHTLY.name).update(enabled=False)
    PeriodicTask.objects.filter(name=OFTEN.name).delete()
    entries[NIGHTLY.name] = newer(NIGHTLY, crontab="", every_seconds=60)
    entries[OFTEN.name] = newer(OFTEN, queue="metering")
    assert seed_schedule() == 2
    nightly = PeriodicTask.objects.get(name=NIGHTLY.name)
    assert (nightly.enabled, nightly.crontab, nightly.interval.every) == (False, None, 60)
    assert not PeriodicTask.objects.filter(name=OFTEN.name).exists()
    assert seed_schedule() == 0


def test_an_older_version_after_a_rollback_changes_nothing(entries: dict[str, ScheduleEntry]) -> None:
    entries[OFTEN.name] = newer(OFTEN, every_seconds=30)
    seed_schedule()
    entries[OFTEN.name] = OFTEN
    assert seed_schedule() == 0
    assert PeriodicTask.objects.get(name=OFTEN.name).interval.every == 30


def test_an_equal_time_that_stands_twice_breaks_nothing() -> None:
    for _ in range(2):
        IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
        CrontabSchedule.objects.create(minute="10", hour="1", timezone="UTC")
    assert seed_schedule() == 2


@pytest.mark.django_db(transaction=True)
def test_seeding_twice_at_once_writes_each_entry_once() -> None:
    assert sorted(at_once(4, seed_schedule)) == [0, 0, 0, 2]
    assert PeriodicTask.objects.filter(name__startswith="test:").count() == 2
    assert IntervalSchedule.objects.filter(every=10).count() == 1
    assert SeededSchedule.objects.count() == 2


def test_every_registered_entry_names_a_task_and_a_queue_that_exist(
    monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.undo()
    assert registered_schedule()
    for entry in registered_schedule():
        assert entry.queue in settings.QUEUES  # type: ignore[attr-defined]


@pytest.mark.parametrize("timing", [{}, {"crontab": "0 0 * * *", "every_seconds": 5}])
def test_an_entry_has_exactly_one_kind_of_time(timing: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="crontab or an interval"):
        ScheduleEntry(name="x", task="x", queue="metering", **timing)  # type: ignore[arg-type]


def test_a_name_stands_once() -> None:
    register_schedule(NIGHTLY)
    with pytest.raises(ValueError, match="registered twice"):
        register_schedule(newer(NIGHTLY))
