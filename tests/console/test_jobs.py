"""The jobs page: a row per scheduled task in words, a switch, Run now, and the time, each for who may."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from arcadia_cloud.kernel.models import JobRun
from arcadia_cloud.kernel.processes import record_heartbeat
from arcadia_cloud.kernel.queue.job_runs import RUNS_KEPT, record_end, record_request, record_start
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.conftest import Login
from tests.console.rows import queries_of, some_of_everything
from tests.console.test_actions import queued
from tests.kernel.brokers import refusing, use_broker

pytestmark = pytest.mark.usefixtures("patient_broker")
PAGE = "/admin/jobs/"
HISTORY = "billing: history, invoices and finance"
KEYS = "kernel: forget expired idempotency keys"  # at 03:40, as three others
AT = {
    "kind": "at",
    "minute": "23",
    "hour": "4",
    "day_of_month": "*",
    "month_of_year": "*",
    "day_of_week": "*",
}


@pytest.fixture(autouse=True)
def schedule(db: None) -> None:
    seed_schedule()


@pytest.fixture
def admin(login: Login) -> Client:
    return login("admin")


def job(name: str = HISTORY) -> PeriodicTask:
    return PeriodicTask.objects.get(name=name)


def row_of(client: Client, name: str = HISTORY, *, page: str = PAGE) -> str:
    """The words of a job's row."""
    html = client.get(page).content.decode()
    (row,) = re.findall(rf'<tr id="job-{job(name).pk}">.*?</tr>', html, re.DOTALL)
    return " ".join(re.sub("<[^>]+>", " ", row).replace("\N{NO-BREAK SPACE}", " ").split()).replace(" ,", ",")


def post(client: Client, what: str, name: str = HISTORY, **values: str) -> Any:
    return client.post(f"{PAGE}{job(name).pk}/{what}/", values)


def times(client: Client, name: str = HISTORY, **values: str) -> Any:
    prefix = f"job{job(name).pk}-"
    return post(client, "time", name, **{f"{prefix}{key}": value for key, value in values.items()})


def run(name: str = HISTORY, *, ago: timedelta = timedelta(0), actor: str = "schedule", **states: Any) -> str:
    """A run that was asked for so long ago; `started` by a worker, `ended` with an outcome and a message."""
    at = timezone.now() - ago
    task_id = str(uuid4())
    record_request(task_id=task_id, job=name, actor=actor, at=at)
    if "started" in states:
        record_start(task_id=task_id, job=name, worker=states["started"], at=at)
    if "ended" in states:
        outcome, message = states["ended"]
        record_end(task_id=task_id, outcome=outcome, message=message, at=at + timedelta(seconds=13))
    return task_id


def a_worker(*queues: str) -> None:
    at = timezone.now()
    record_heartbeat("one@host", queues=queues, started_at=at - timedelta(hours=9), at=at)


def test_each_job_is_a_row_in_words(viewer: Client) -> None:
    a_worker("cloud_billing")
    answer = viewer.get(PAGE)
    page = answer.content.decode()

    assert page.count('<tr id="job-') == PeriodicTask.objects.count()
    assert (answer.context["title"], answer.context["content_title"]) == ("Jobs", "Jobs")
    assert "every day at 02:23 UTC next in" in row_of(viewer)
    assert "never ran never" in row_of(viewer)
    assert "every 10 seconds" in row_of(viewer, "provisioning: recover orphaned sagas, wake waiting ones")
    assert "none takes from metering; no beat runs" in re.sub(r"none takes from (?!metering)\w+; ", "", page)

    run(ago=timedelta(hours=3), started="one@host", ended=("ok", "143 invoices"))
    assert "ok 3 hours ago, 13.0 s 143 invoices" in row_of(viewer)
    run(ago=timedelta(hours=2), started="one@host", ended=("failed", "ProviderUnavailable: it is away"))
    assert "failed ProviderUnavailable: it is away 2 hours ago, 13.0 s" in row_of(viewer)
    run(ago=timedelta(seconds=30), actor="user:ann")
    assert re.search("asked for 3. seconds ago, by user:ann", row_of(viewer))
    run(ago=timedelta(seconds=12), started="one@host")
    assert re.search("running for 1. seconds", row_of(viewer))


def test_a_job_that_no_worker_takes_is_red_whatever_it_did_before(viewer: Client) -> None:
    run(ago=timedelta(hours=3), started="one@host", ended=("ok", "143 invoices"))
    a_worker("cloud_billing")
    run(ago=timedelta(minutes=2, seconds=5))
    run(ago=timedelta(minutes=1))  # beat asks again: the wait is counted from the first

    assert "waiting asked for 2 minutes ago, no worker took it 3" in row_of(viewer)
    assert JobRun.objects.count() == 2
    run(started="one@host", ended=("ok", ""))
    assert "waiting" not in row_of(viewer)

    run("metering: prune old usage", ago=timedelta(seconds=5))  # none takes from metering at all
    assert "seconds ago, no worker took it" in row_of(viewer, "metering: prune old usage")


def test_a_run_whose_worker_is_gone_is_not_running(viewer: Client) -> None:
    run(ago=timedelta(minutes=5), started="one@host")
    assert "interrupted its worker is gone" in row_of(viewer)
    at = timezone.now()
    record_heartbeat("one@host", queues=["cloud_billing"], started_at=at, at=at)  # it is back under its name
    assert "interrupted its worker is gone" in row_of(viewer)


def test_a_job_that_beat_did_not_ask_for_is_overdue_and_a_switched_off_one_is_not(viewer: Client) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(days=2))
    run(ago=timedelta(days=2), started="one@host", ended=("ok", ""))
    assert re.search(
        r"overdue since \d+ \w+, 02:23 UTC: beat didn't ask for it", row_of(viewer).replace("&#x27;", "'")
    )
    PeriodicTask.objects.update(enabled=False)
    assert "every day at 02:23 UTC off" in row_of(viewer)


def test_a_job_is_switched_and_logged_with_old_and_new(admin: Client) -> None:
    post(admin, "switch", to="off")
    assert not job().enabled
    answer = post(admin, "switch", to="off")  # by another, on a page that is older

    assert answer.headers["Location"] == f"{PAGE}#job-{job().pk}"
    assert "off" in row_of(admin)
    post(admin, "switch", to="on")
    assert job().enabled
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        "enabled: on → off",
        "enabled: off → on",
    ]
    assert LogEntry.objects.first().get_edited_object() == job()  # type: ignore[union-attr] # there are two


def test_run_now_is_asked_for_in_its_queue_and_shown_in_the_row(
    admin: Client, valkey_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_worker("cloud_billing", "cloud_sync_slow")
    slow = "inventory: sync the slow kinds"
    post(admin, "run", slow)

    assert queued(valkey_client, "cloud_sync_slow") == [("inventory.sync", "{'mode': 'slow'}")]
    assert "asked for a moment ago, by user:admin-1" in row_of(admin, slow)
    assert b'hx-trigger="every 2s"' in admin.get(PAGE).content
    assert "never ran" in row_of(admin, "inventory: sync every kind but the slow ones")  # the same function
    assert LogEntry.objects.get().change_message == "Run now, from the console."

    use_broker(monkeypatch, refusing())
    page = client_page(post(admin, "run"), admin)
    assert "Not asked for: The broker doesn&#x27;t answer, so nothing was started." in page
    assert "never ran" in row_of(admin)
    PeriodicTask.objects.filter(name=HISTORY).update(queue="toasters")
    assert "there is no queue &#x27;toasters&#x27;" in client_page(post(admin, "run"), admin)
    assert LogEntry.objects.count() == JobRun.objects.count() == 1


def client_page(_answer: Any, client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_one_job_is_moved_and_those_that_shared_its_time_stay(admin: Client) -> None:
    shared = job(KEYS).crontab
    others = PeriodicTask.objects.filter(crontab=shared).exclude(name=KEYS)
    names = set(others.values_list("name", flat=True))
    assert len(names) >= 3

    assert b'value="40"' in admin.get(f"{PAGE}?edit={job(KEYS).pk}").content
    times(admin, KEYS, **AT)

    assert set(others.values_list("name", flat=True)) == names
    assert (CrontabSchedule.objects.get(pk=shared.pk).hour, job(KEYS).crontab.hour) == ("3", "4")
    assert LogEntry.objects.get().change_message == "time: every day at 03:40 UTC → every day at 04:23 UTC"
    # What has passed of today isn't made up for: it is counted from now.
    assert timezone.now() - job(KEYS).last_run_at < timedelta(minutes=1)
    assert seed_schedule() == 0
    assert job(KEYS).crontab.hour == "4"

    rows = CrontabSchedule.objects.count()
    times(admin, **AT)
    assert (CrontabSchedule.objects.count(), job().crontab_id) == (rows, job(KEYS).crontab_id)
    times(admin, kind="every", every="2", unit="hours")
    assert (job().crontab, job().interval.every, job().interval.period) == (None, 7200, "seconds")
    assert "every 2 hours" in row_of(admin)
    assert 'value="2"' in admin.get(f"{PAGE}?edit={job().pk}").content.decode()
    times(admin, kind="every", every="120", unit="minutes")
    assert "nothing changed, it was every 2 hours already" in client_page(None, admin)
    assert LogEntry.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"minute": "61"}, "minute", "The minute can&#x27;t be read"),
        ({"hour": "noon"}, "hour", "The hour can&#x27;t be read"),
        ({"day_of_week": ""}, "day_of_week", "It must be given; * stands for every."),
        (
            {"day_of_month": "31", "month_of_year": "2"},
            "day_of_month",
            "No month that is chosen has this day",
        ),
        ({"kind": "every", "every": "0", "unit": "hours"}, "every", "greater than or equal to 1"),
        ({"kind": "every", "every": "9000", "unit": "days"}, "every", "between a second and a year"),
        ({"kind": "every", "every": "", "unit": "days"}, "every", "It must be given."),
        ({"kind": "sometimes"}, "kind", "sometimes is not one of the available choices"),
        ({"minute": "5\0"}, "minute", "Null characters are not allowed"),
    ],
)
def test_a_time_that_can_not_be_is_refused_at_its_field(
    admin: Client, change: dict[str, str], field: str, words: str
) -> None:
    answer = times(admin, **{**AT, **change})

    page = answer.content.decode()
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, [field])
    assert words in page
    assert (
        "hx-trigger" not in page.partition('id="jobs-live"')[2].partition(">")[0]
    )  # nothing is typed in vain
    assert "every day at 02:23 UTC" in row_of(admin)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "operator", "billing", ""])
def test_who_may_not_change_the_schedule_has_no_button_and_is_refused(
    login: Login, valkey_client: redis.Redis, group: str
) -> None:
    client = login(group)
    page = client.get(f"{PAGE}?edit={job().pk}")

    assert page.status_code == (200 if group else 403)
    assert not re.search(r'role="switch"|Run now|time-form|edit-', page.content.decode())
    answers = [post(client, "switch", to="off"), post(client, "run"), times(client, **AT)]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert client.get(f"{PAGE}{job().pk}/").status_code == (200 if group else 403)
    assert (job().enabled, job().crontab.hour) == (True, "2")
    assert valkey_client.keys("cloud_*") == []
    assert not LogEntry.objects.exists()


def test_a_change_is_a_post_with_a_csrf_token_of_a_login(admin: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="admin-1"))
    for what in ("switch", "run", "time"):
        assert post(strict, what, to="off").status_code == 403
        assert admin.get(f"{PAGE}{job().pk}/{what}/").status_code == 405
        assert Client().post(f"{PAGE}{job().pk}/{what}/").headers["Location"].startswith("/admin/login/")
        assert admin.post(f"{PAGE}999999/{what}/", {"to": "off"}).status_code in {302, 404}
    assert Client().get(PAGE).headers["Location"].startswith("/admin/login/")
    assert admin.get(f"{PAGE}999999/").status_code == 404
    assert admin.get(f"{PAGE}?edit=0x1").status_code == admin.get(f"{PAGE}?edit=999999").status_code == 200
    assert job().enabled


def test_a_jobs_page_shows_its_last_runs_and_who_asked(viewer: Client) -> None:
    for number in range(RUNS_KEPT + 5):
        run(
            ago=timedelta(hours=40 - number),
            actor="user:ann",
            started="one@host",
            ended=("ok", f"{number} done"),
        )

    page = viewer.get(f"{PAGE}{job().pk}/").content.decode()
    assert re.findall(r"(\d+) done", page) == [str(number) for number in range(24, 4, -1)]
    assert page.count("user:ann") == JobRun.objects.count() == RUNS_KEPT
    assert "billing.read_history" in page


def test_both_pages_ask_as_many_queries_with_many_jobs_and_runs_as_with_few(admin: Client) -> None:
    some_of_everything(1)
    pages = (PAGE, f"{PAGE}?edit={job().pk}", f"{PAGE}{job().pk}/")
    run(started="one@host", ended=("ok", ""))
    few = [len(queries_of(admin, page)) for page in pages]
    some_of_everything(20)
    for task in PeriodicTask.objects.all():
        run(task.name, started="one@host", ended=("ok", ""))
        run(task.name, started="one@host")
        run(task.name, actor="user:ann")

    assert [len(queries_of(admin, page)) for page in pages] == few
    assert max(few) <= 14


def test_an_empty_schedule_says_why(viewer: Client) -> None:
    PeriodicTask.objects.all().delete()
    assert b"manage.py seed_schedule" in viewer.get(PAGE).content
