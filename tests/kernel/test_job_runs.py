"""Runs of scheduled tasks: recorded by real workers and beats, in words, and never at the task's cost."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.leases import LeaseHeld
from arcadia_cloud.kernel.models import JobRun, ProcessHeartbeat, SeededSchedule
from arcadia_cloud.kernel.queue.job_outcomes import describe_failure, describe_result
from arcadia_cloud.kernel.queue.job_runs import (
    RUNS_KEPT,
    delete_old_job_runs,
    read_runs,
    record_end,
    record_request,
    record_start,
)
from arcadia_cloud.kernel.queue.schedule import registry
from arcadia_cloud.kernel.queue.schedule.jobs import move_job, run_job
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from arcadia_cloud.kernel.queue.schedule.times import Timing, next_due, timing_of, validate_timing
from tests.processes import Workers

NOW = datetime(2026, 5, 10, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("result", "words", "outcome"),
    [
        ({"invoices": 143, "entries": 0, "to_ingest": 2}, "143 invoices, 2 to ingest", "ok"),
        ({"sessions": 0, "logins": 0}, "nothing to do", "ok"),
        ({"rows": 1234567}, "1,234,567 rows", "ok"),
        ({"missed": ["2026-05-01", "2026-05-02"], "removed": 0}, "missed: 2026-05-01, 2026-05-02", "ok"),
        ({"days": [str(day) for day in range(9)]}, "days: 0, 1, 2, 3, 4 and 4 more", "ok"),
        ({"month_to_date_balance": "12.50"}, "month to date balance: 12.50", "ok"),
        ({"droplet": "complete", "vpc": "complete"}, "2 complete", "ok"),
        (
            {"droplet": "complete", "vpc": "failed", "cdn": "failed"},
            "1 complete, 2 failed (vpc, cdn)",
            "failed",
        ),
        ({"is_late": True, "is_full": False}, "is late", "ok"),
        (None, "", "ok"),
    ],
)
def test_what_a_task_returned_is_described(result: Any, words: str, outcome: str) -> None:
    assert describe_result(result) == (outcome, words)


def test_a_failure_has_its_message_and_no_password_and_another_runs_lease_is_none() -> None:
    leaky = ConnectionError("can't reach redis://user:hunter2@cache:6379/0")
    assert describe_failure(leaky, expected=()) == (
        "failed",
        "ConnectionError: can't reach redis://cache:6379/0",
    )
    held = LeaseHeld("metering")
    assert describe_failure(held, expected=(LeaseHeld,)).outcome == "skipped"
    assert describe_failure(held, expected=()).outcome == "failed"


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        (Timing("23 2 * * *"), "every day at 02:23 UTC"),
        (Timing("23 2 * * *", timezone="Australia/Sydney"), "every day at 02:23 Australia/Sydney"),
        (Timing("7 * * * *"), "every hour at :07"),
        (Timing("*/5 * * * *"), "every 5 minutes"),
        (Timing("0 3 * * 1"), "every Monday at 03:00 UTC"),
        (Timing("0 3 1 * *"), "on day 1 of every month at 03:00 UTC"),
        (Timing("50 2-23 * * *"), "every hour from 02:50 to 23:50 UTC"),
        (Timing("0 1,13 * * *"), "at 01:00 AM and 01:00 PM UTC"),
        (Timing(every_seconds=1), "every second"),
        (Timing(every_seconds=90), "every 90 seconds"),
        (Timing(every_seconds=7200), "every 2 hours"),
    ],
)
def test_a_time_is_read_in_words(timing: Timing, words: str) -> None:
    assert timing.words == words


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing("60 2 * * *"), "minute"),
        (Timing("0 24 * * *"), "hour"),
        (Timing("0 0 0 * *"), "day_of_month"),
        (Timing("0 0 30 2 *"), "day_of_month"),
        (Timing("0 0 * 13 *"), "month_of_year"),
        (Timing("0 0 * * 8"), "day_of_week"),
        (Timing(every_seconds=0), "every"),
        (Timing(every_seconds=400 * 86400), "every"),
    ],
)
def test_a_time_that_never_comes_is_refused_by_its_field(timing: Timing, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        validate_timing(timing)
    assert list(refusal.value.errors) == [field]


@pytest.mark.django_db
def test_the_next_time_is_the_schedules_own() -> None:
    daily = PeriodicTask(crontab=CrontabSchedule(minute="23", hour="2", timezone="Australia/Sydney"))
    assert next_due(daily, after=NOW) == datetime(2026, 5, 10, 16, 23, tzinfo=UTC)
    often = PeriodicTask(interval=IntervalSchedule(every=2, period="minutes"))
    assert next_due(often, after=NOW) == NOW + timedelta(minutes=2)
    assert timing_of(often) == Timing(every_seconds=120)


@pytest.mark.django_db
def test_of_each_job_the_newest_runs_are_kept_and_old_ones_deleted() -> None:
    for number in range(RUNS_KEPT + 10):
        for job in ("one", "two"):
            at = NOW + number * HOUR
            record_request(task_id=f"{job}-{number}", job=job, actor="user:ann", at=at)
            record_start(task_id=f"{job}-{number}", job=job, worker="w", at=at)
            record_end(task_id=f"{job}-{number}", outcome="ok", message="x" * 9000, at=at)
    assert JobRun.objects.filter(job="one").count() == JobRun.objects.filter(job="two").count() == RUNS_KEPT
    assert not JobRun.objects.filter(task_id="one-9").exists()
    assert len(JobRun.objects.first().message) == 500  # type: ignore[union-attr] # there are forty
    assert delete_old_job_runs(at=NOW + 29 * HOUR + timedelta(days=90)) == 2 * (RUNS_KEPT - 1)


@pytest.mark.django_db
def test_while_a_run_waits_the_schedules_next_ones_write_nothing() -> None:
    for number in range(50):
        record_request(task_id=f"{number}", job="often", actor="schedule", at=NOW + number * HOUR)
    assert [run.asked_at for run in JobRun.objects.all()] == [NOW]
    record_request(task_id="now", job="often", actor="user:ann", at=NOW + HOUR)
    assert JobRun.objects.count() == 2
    assert read_runs()["often"].waiting.asked_at == NOW  # type: ignore[union-attr] # it waits
    # The first message is lost with the broker's memory: what runs later ends the wait.
    record_start(task_id="60", job="often", worker="w", at=NOW + 60 * HOUR)
    assert (read_runs()["often"].waiting, read_runs()["often"].started.pk) == (None, "60")  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_worker_may_be_faster_than_the_record_of_the_request_and_may_take_a_run_twice() -> None:
    record_start(task_id="1", job="j", worker="a", at=NOW + timedelta(seconds=2))
    record_request(task_id="1", job="j", actor="user:ann", at=NOW)
    run = JobRun.objects.get()
    assert (run.requested_by, run.asked_at, run.worker) == ("user:ann", NOW, "a")
    record_end(task_id="1", outcome="failed", message="x", at=NOW + HOUR)
    record_start(task_id="1", job="j", worker="b", at=NOW + 2 * HOUR)
    run = JobRun.objects.get()
    assert (run.worker, run.outcome, run.ended_at, run.asked_at) == ("b", "", None, NOW)


@pytest.mark.django_db
def test_a_new_version_keeps_the_time_that_an_operator_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        name: ScheduleEntry(name=name, task="t", queue="metering", crontab="10 1 * * *") for name in "ab"
    }
    monkeypatch.setattr(registry, "_entries", entries)
    seed_schedule()
    SeededSchedule.objects.update(timing="")  # as seeded before times were noted
    seed_schedule()
    move_job(PeriodicTask.objects.get(name="a").pk, Timing("30 5 * * *"), at=NOW)
    for name in "ab":
        entries[name] = ScheduleEntry(name=name, task="u", queue="metering", crontab="0 2 * * *", version=2)
    assert seed_schedule() == 2
    moved, other = PeriodicTask.objects.order_by("name")
    assert (moved.task, timing_of(moved)) == ("u", Timing("30 5 * * *"))
    assert (other.task, timing_of(other)) == ("u", Timing("0 2 * * *"))


def wait_until(true: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, list(JobRun.objects.values())
        time.sleep(0.1)


def a_job(name: str, task: str = "kernel.delete_old_logins", **fields: Any) -> PeriodicTask:
    hour, _ = IntervalSchedule.objects.get_or_create(every=3600, period="seconds")
    return PeriodicTask.objects.create(name=name, task=task, queue="metering", interval=hour, **fields)


def ask(job: PeriodicTask) -> JobRun:
    run_job(job.pk, actor="user:ann", at=timezone.now())
    return JobRun.objects.latest("asked_at")


@pytest.mark.processes
def test_real_workers_and_beats_record_runs_and_a_missing_table_fails_no_task(worker: Workers) -> None:
    good, bad = a_job("good"), a_job("bad", "inventory.sync", kwargs='{"mode": "sideways"}')
    waiting = ask(good)
    assert (waiting.started_at, read_runs()["good"].waiting) == (None, waiting)
    child = worker("metering")
    ask(bad)
    wait_until(lambda: JobRun.objects.exclude(ended_at=None).count() == 2)
    run, failed = JobRun.objects.get(job="good"), JobRun.objects.get(job="bad")
    assert (run.outcome, run.message, run.requested_by) == ("ok", "nothing to do", "user:ann")
    assert (failed.outcome, failed.message) == ("failed", "ValueError: 'sideways' is not a valid RunMode")
    assert run.asked_at < run.started_at < run.ended_at  # type: ignore[operator] # all three are set
    assert ProcessHeartbeat.objects.filter(name=run.worker, queues=["metering"]).exists()

    # The record's table is away: the task does its work all the same, and the next is recorded again.
    with connection.cursor() as cursor:
        Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - HOUR)
        run_job_without_record = ask(good).pk
        cursor.execute("ALTER TABLE job_runs RENAME TO job_runs_away")
        try:
            wait_until(lambda: not Session.objects.exists() or "job_run_not_recorded" in child.logged())
        finally:
            cursor.execute("ALTER TABLE job_runs_away RENAME TO job_runs")
    wait_until(lambda: not Session.objects.exists())
    assert run_job_without_record
    again = ask(good).pk
    wait_until(lambda: JobRun.objects.get(pk=again).outcome == "ok")

    # Beat asks, beside its schedule nothing else; a run that expires before a worker comes is dropped.
    PeriodicTask.objects.filter(pk=good.pk).update(last_run_at=timezone.now() - 2 * HOUR)
    JobRun.objects.all().delete()
    child.process.send_signal(signal.SIGTERM)
    child.process.wait(timeout=30)
    late = a_job("late", expire_seconds=1, last_run_at=timezone.now() - 2 * HOUR)
    beat = worker.beat()
    jobs = {good.name, late.name}
    wait_until(lambda: set(JobRun.objects.values_list("job", flat=True)) == jobs)
    beat.process.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    worker("metering")
    wait_until(lambda: not JobRun.objects.filter(ended_at=None).exists())
    outcomes = dict(JobRun.objects.values_list("job", "outcome"))
    assert outcomes == {"good": "ok", late.name: "expired"}
