"""Actions of the console: runs, alerts, the schedule."""

import json
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import record_heartbeat
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.conftest import Login
from tests.console.rows import a_run
from tests.kernel.brokers import refusing, use_broker

pytestmark = pytest.mark.usefixtures("patient_broker")
SYNC_NOW = "/admin/inventory/syncrun/sync_now/"
START = {"mode": "fast", "_form_submitted": "on"}


def queued(valkey: redis.Redis, queue: str) -> list[tuple[str, str]]:
    """The waiting tasks: their names and, as Celery writes them for people, their arguments."""
    waiting: Any = valkey.lrange(queue, 0, -1)
    headers = [json.loads(raw)["headers"] for raw in waiting]
    return [(header["task"], header["kwargsrepr"]) for header in headers]


def messages_of(client: Client) -> str:
    return client.get("/admin/inventory/syncrun/").content.decode()


def test_an_operator_starts_a_sync_in_its_queue_and_name(
    operator: Client, valkey_client: redis.Redis
) -> None:
    answer = operator.post(SYNC_NOW, START)

    assert answer.headers["HX-Redirect"] == "/admin/inventory/syncrun/"
    assert "A worker was asked for a fast sync." in messages_of(operator)
    assert queued(valkey_client, "cloud_sync_fast") == [
        ("inventory.sync", "{'mode': 'fast', 'actor': 'user:operator-1'}")
    ]
    assert LogEntry.objects.get().object_repr == "fast sync"


def test_opening_the_dialog_starts_nothing(operator: Client, valkey_client: redis.Redis) -> None:
    assert b"What to sync" in operator.get(SYNC_NOW).content
    assert valkey_client.keys("cloud_sync*") == []


def test_an_unavailable_broker_is_reported(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(monkeypatch, refusing())

    operator.post(SYNC_NOW, START)

    assert "nothing was started" in messages_of(operator)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "billing"])
def test_who_only_looks_starts_nothing(login: Login, valkey_client: redis.Redis, group: str) -> None:
    client = login(group)

    assert client.post(SYNC_NOW, START).status_code == 403
    assert b"Sync now" not in client.get("/admin/inventory/syncrun/").content
    assert valkey_client.keys("cloud_sync*") == []


def test_a_running_sync_shows_how_far_it_is_and_asks_again(viewer: Client) -> None:
    run = a_run(outcome="")

    on_list = messages_of(viewer)
    on_page = viewer.get(f"/admin/inventory/syncrun/{run.pk}/change/").content.decode()

    assert "40 of 100" in on_list
    assert 'hx-trigger="every 3s"' in on_list
    assert 'value="40" max="100"' in on_page
    assert 'hx-trigger="every 3s"' in on_page


def test_a_failed_run_shows_its_error_and_links_to_its_events(viewer: Client) -> None:
    run = a_run(outcome="failed")

    assert "DigitalOcean answered 503" in messages_of(viewer)
    assert "1\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}12\N{NO-BREAK SPACE}s" in messages_of(viewer)
    assert b"Nothing happened." in viewer.get(f"/admin/inventory/syncrun/{run.pk}/change/").content


def an_alert() -> Alert:
    raise_alert(code="sync_failed", subject="kind:droplet", message="It failed")
    return Alert.objects.get()


def test_an_operator_resolves_alerts_from_the_list(operator: Client) -> None:
    alert = an_alert()

    operator.post("/admin/kernel/alert/", {"action": "resolve_selected", "_selected_action": [alert.pk]})

    alert.refresh_from_db()
    assert alert.resolved_by == "user:operator-1"
    assert LogEntry.objects.get().get_change_message() == "Resolved from the console."


def test_an_alert_is_resolved_once(operator: Client) -> None:
    alert = an_alert()
    address = f"/admin/kernel/alert/{alert.pk}/resolve_this/"

    operator.post(address, {"_form_submitted": "on"})
    operator.post(address, {"_form_submitted": "on"})

    assert LogEntry.objects.count() == 1
    assert "It was resolved before." in operator.get("/admin/kernel/alert/").content.decode()


def test_a_viewer_resolves_nothing(viewer: Client) -> None:
    alert = an_alert()

    viewer.post("/admin/kernel/alert/", {"action": "resolve_selected", "_selected_action": [alert.pk]})
    refused = viewer.post(f"/admin/kernel/alert/{alert.pk}/resolve_this/", {"_form_submitted": "on"})

    alert.refresh_from_db()
    assert refused.status_code == 403
    assert alert.resolved_at is None


def test_open_alerts_are_counted_in_the_navigation_and_listed_first(viewer: Client) -> None:
    an_alert()

    page = viewer.get("/admin/kernel/alert/").content.decode()

    assert "It failed" in page
    assert "min-w-[18px]" in page  # the badge
    assert "It failed" not in viewer.get("/admin/kernel/alert/?state=resolved").content.decode()


def test_an_admin_runs_a_scheduled_task_now_and_an_operator_does_not(
    login: Login, valkey_client: redis.Redis
) -> None:
    seed_schedule()
    task = PeriodicTask.objects.get(name="inventory: sync the slow kinds")
    form = {"action": "run_now", "_selected_action": [task.pk]}

    login("operator").post("/admin/django_celery_beat/periodictask/", form)
    assert valkey_client.keys("cloud_sync*") == []

    login("admin").post("/admin/django_celery_beat/periodictask/", form)
    assert queued(valkey_client, "cloud_sync_slow") == [("inventory.sync", "{'mode': 'slow'}")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"queue": "toasters"}, "there is no queue &#x27;toasters&#x27;; there are provisioning, "),
        ({"args": '["slow"]'}, "it has positional arguments; give them by name"),
        ({"args": "slow"}, "its arguments are no JSON"),
        ({"kwargs": '["slow"]'}, "its keyword arguments must be a JSON object"),
        ({"kwargs": '{"queue": "metering"}'}, "a keyword argument can&#x27;t be named queue"),
    ],
)
def test_a_scheduled_task_that_can_not_be_sent_is_reported_and_the_others_are_sent(
    login: Login, valkey_client: redis.Redis, change: dict[str, str], words: str
) -> None:
    seed_schedule()
    unfit = PeriodicTask.objects.get(name="inventory: sync droplets and databases")
    fit = PeriodicTask.objects.get(name="inventory: sync the slow kinds")
    PeriodicTask.objects.filter(pk=unfit.pk).update(**change)
    form = {"action": "run_now", "_selected_action": [unfit.pk, fit.pk]}

    page = login("admin").post("/admin/django_celery_beat/periodictask/", form, follow=True)

    assert f"{unfit.name}: {words}" in page.content.decode()
    assert f"{fit.name}: a worker was asked." in page.content.decode()
    keys: Any = valkey_client.keys("cloud_sync_*")
    assert [len(queued(valkey_client, key.decode())) for key in keys] == [1]
    assert LogEntry.objects.get().object_id == str(fit.pk)


def test_an_operator_does_not_switch_the_schedule_off(operator: Client) -> None:
    seed_schedule()
    every = list(PeriodicTask.objects.values_list("pk", flat=True))
    for action in ("disable_tasks", "toggle_tasks", "delete_selected"):
        operator.post(
            "/admin/django_celery_beat/periodictask/",
            {"action": action, "_selected_action": every, "post": "yes"},
        )

    assert list(PeriodicTask.objects.filter(enabled=True).values_list("pk", flat=True)) == every


def test_an_operator_takes_notes_on_and_snoozes_an_alert_and_reads_what_to_do(
    operator: Client, viewer: Client
) -> None:
    raise_alert(code="sync_failed", subject="kind:droplet", message="403 forbidden")
    alert = Alert.objects.get()
    page = f"/admin/kernel/alert/{alert.pk}/"
    posts: dict[str, dict[str, object]] = {
        "take_this": {}, "note_this": {"note": "the token was rotated"}, "snooze_this": {"hours": 4},
    }  # fmt: skip
    for name, values in posts.items():
        assert b"dialog" in operator.get(f"{page}{name}/").content
        operator.post(f"{page}{name}/", {**values, "_form_submitted": "on"})
        assert viewer.post(f"{page}{name}/", {**values, "_form_submitted": "on"}).status_code == 403
    alert.refresh_from_db()
    assert (alert.owner, alert.note) == ("user:operator-1", "the token was rotated")
    assert alert.snoozed_until is not None
    taken, noted, snoozed = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert taken == "Taken from the console; owner: - → user:operator-1"
    assert noted == "note: - → the token was rotated"
    assert snoozed == f"Snoozed from the console; snoozed until: - → {alert.snoozed_until:%Y-%m-%d %H:%M} UTC"

    shown = operator.get(f"{page}change/").content.decode()
    assert "Snoozed until" in shown
    assert "the token is revoked, or lacks a scope for this kind" in shown  # the runbook
    assert "403 forbidden" not in operator.get("/admin/").content.decode()
    assert "403 forbidden" in operator.get("/admin/kernel/alert/?state=snoozed").content.decode()


def test_the_home_page_shows_each_queue_and_names_those_without_a_worker(operator: Client) -> None:
    at = timezone.now()
    record_heartbeat("one@host", queues=["provisioning"], started_at=at, at=at)
    shown = " ".join(operator.get("/admin/").content.decode().split())
    rest = ", ".join(name for name in settings.QUEUES if name != "provisioning")
    assert f"No worker takes from {rest}" in shown
    assert "No beat runs: nothing is scheduled" in shown
    assert "Nothing needs a hand" not in shown  # though no alert is open
