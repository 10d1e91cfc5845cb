"""The metrics that Prometheus scrapes: guarded, and right whichever process is asked."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.embedded.child_processes import start_child, stop_children
from arcadia_cloud.embedded.stack import commands
from arcadia_cloud.embedded.valkey import free_port
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.metrics.buffer import KEY, buffer
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import record_heartbeat
from arcadia_cloud.kernel.queue.nudge import publish_now
from billing.models import ProviderInvoice
from drift.models import Drift
from inventory.models import Resource, SyncRun
from provisioning.engine.runner import run
from tests.http.scrapes import Scrape
from tests.processes import Workers, wait_for
from tests.processes import test_database_url as database_url
from tests.provisioning.sagas import start
from tests.simulated import Simulated

TOKEN = "scrape-" + "m" * 24
WAIT_SECONDS = 60


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests(_empty_valkey: None, valkey_client: redis.Redis) -> None:
    """Drop what this process has yet to send: it is of the tests before."""
    buffer.send()
    valkey_client.delete(KEY)


def scrape(**headers: str) -> Scrape:
    answer = Client(headers=headers).get("/metrics")
    assert answer.status_code == 200
    return Scrape(answer.content.decode())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("production", "token", "given", "status"),
    [
        (False, "", None, 200),
        (True, "", None, 404),
        (True, "", "Bearer ", 404),
        (True, TOKEN, None, 404),
        (True, TOKEN, TOKEN, 404),
        (True, TOKEN, f"Bearer {TOKEN}x", 404),
        (True, TOKEN, f"Bearer {TOKEN}", 200),
        (False, TOKEN, None, 404),
        (False, TOKEN, f"Bearer {TOKEN}", 200),
        (True, TOKEN, "Bearer \u00e9", 404),
    ],
)
def test_only_who_has_the_token_may_scrape(
    production: bool, token: str, given: str | None, status: int, settings: Any
) -> None:
    settings.PRODUCTION, settings.ARCADIA_METRICS_TOKEN = production, token
    answer = Client().get("/metrics", headers={"Authorization": given} if given else {})
    assert answer.status_code == status
    assert ("arcadia_" in answer.content.decode()) is (status == 200)


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_status_not_by_address() -> None:
    client = Client()
    client.get("/api/health")
    client.get("/api/health")
    client.get("/api/v1/inventory/4711")
    client.get("/no/such/page")
    client.generic("BREW", "/api/health")
    found = scrape()
    count = "arcadia_http_requests_total"
    assert found.value(count, method="GET", route="/api/health", status=200) == 2
    assert found.value(count, method="GET", route="/api/v1/inventory/<int:pk>", status=401) == 1
    assert found.value(count, method="GET", route="unmatched", status=404) == 1
    assert found.total(count, method="other") == 1
    assert found.value("arcadia_http_request_seconds_count", method="GET", route="/api/health") == 2
    assert (
        found.value("arcadia_http_request_seconds_bucket", method="GET", route="/api/health", le="+Inf") == 2
    )
    assert "4711" not in found.text


@pytest.mark.django_db
def test_the_gauges_say_what_the_rows_say() -> None:
    at = timezone.now()
    record_heartbeat("worker-1@host", queues=["metering"], started_at=at, at=at)
    record_heartbeat("beat@host", queues=[], started_at=at, at=at)
    hours = timedelta(hours=5)
    SyncRun.objects.create(
        kind="droplet", mode="full", outcome="complete", started_at=at - hours, finished_at=at - hours
    )
    resource = Resource.objects.create(kind="droplet", provider_id="1", first_seen_at=at, last_seen_at=at)
    Drift.objects.create(
        resource=resource, kind="droplet", field="name", expected="a", actual="b", cause="c",
        detected_at=at - hours, last_seen_at=at,
    )  # fmt: skip
    period = at.date().replace(day=1)
    ProviderInvoice.objects.create(
        invoice_uuid="u-1", period=period, amount=1, discovered_at=at - hours, ingest_status="pending"
    )
    raise_alert(code="saga_overdue", subject="saga:1", message="late", severity=Alert.Severity.CRITICAL)
    start(message="hello")
    found = scrape()
    assert found.value("arcadia_queue_workers", queue="metering") == 1
    assert found.value("arcadia_queue_workers", queue="provisioning") == 0
    assert found.value("arcadia_queue_length", queue="metering") == 0
    assert found.value("arcadia_beats") == 1
    assert 5 * 3600 <= (found.value("arcadia_sync_age_seconds", kind="droplet") or 0) < 5 * 3600 + 60
    assert found.value("arcadia_sync_stale", kind="droplet") == 1
    assert found.value("arcadia_drift_open") == 1
    assert 5 * 3600 <= (found.value("arcadia_drift_oldest_seconds") or 0) < 5 * 3600 + 60
    assert 5 * 3600 <= (found.value("arcadia_invoice_ingest_lag_seconds") or 0) < 5 * 3600 + 60
    assert found.value("arcadia_invoices_unpushed", status="waiting") == 1
    assert found.value("arcadia_alerts_open", code="saga_overdue", severity="critical") == 1
    assert found.value("arcadia_sagas", status="pending") == 1
    assert found.value("arcadia_sagas", status="failed") == 0
    assert found.value("arcadia_sagas_stuck") == 1
    assert found.value("arcadia_provider_calls_left", purpose="sync") == 5000
    assert found.value("arcadia_metrics_source_up", source="drift") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fails", "outcome"), [(False, "completed"), (True, "rolled_back")])
def test_sagas_are_counted_as_they_end(fails: bool, outcome: str) -> None:
    run(start(message="hello", then_fail=fails).pk)
    found = scrape()
    assert found.value("arcadia_sagas_ended_total", kind="echo", outcome=outcome) == 1
    assert found.value("arcadia_saga_seconds_count", kind="echo", outcome=outcome) == 1
    assert 0 < (found.value("arcadia_saga_seconds_sum", kind="echo", outcome=outcome) or 0) < 60


@pytest.mark.django_db
def test_calls_to_digitalocean_are_counted_by_status_and_what_is_left_is_told(
    simulator: Simulated, settings: Any
) -> None:
    with DigitalOcean("SYNC") as cloud:
        list(cloud.droplets())
    settings.DO_API_URL = "http://127.0.0.1:9"  # refused at once
    with DigitalOcean("SYNC", give_up_after=0.1) as cloud, pytest.raises(ProviderError):
        list(cloud.droplets())
    settings.DO_API_URL = simulator.url
    found = scrape()
    calls = found.total("arcadia_provider_calls_total", method="GET", status="200")
    assert calls >= 1
    assert found.total("arcadia_provider_calls_total", method="GET", status="none") >= 1
    limit = found.value("arcadia_provider_calls_limit", purpose="sync")
    assert limit is not None
    assert found.value("arcadia_provider_calls_left", purpose="sync") == limit - calls


@pytest.mark.django_db
def test_without_redis_the_gauges_are_there_and_nothing_counted_is_lost(settings: Any) -> None:
    address = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    Client().get("/api/health")
    found = scrape()
    assert found.value("arcadia_metrics_counts_up") == 0
    assert found.value("arcadia_drift_open") == 0
    settings.REDIS_URL = address
    found = scrape()
    assert found.value("arcadia_metrics_counts_up") == 1
    assert found.value("arcadia_http_requests_total", method="GET", route="/api/health", status=200) == 1


@pytest.mark.django_db
def test_without_the_database_the_counts_are_there() -> None:
    Client().get("/api/health")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)
        found = scrape()
    assert found.value("arcadia_metrics_source_up", source="drift") == 0
    assert found.value("arcadia_metrics_source_up", source="provider") == 1
    assert found.value("arcadia_drift_open") is None
    assert found.value("arcadia_http_requests_total", method="GET", route="/api/health", status=200) == 1


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_every_web_process_tells_the_counts_of_all_processes(
    worker: Workers, tmp_path: Path, patient_broker: None
) -> None:
    worker("cloud_sync_slow", options=("--concurrency", "2", "--pool", "prefork"))
    port = free_port()
    command = commands(port)["web"]
    command[command.index("--workers") + 1] = "3"
    environment = {**os.environ, "DATABASE_URL": database_url(), "ARCADIA_METRICS_TOKEN": TOKEN}
    child = start_child("web", command, folder=tmp_path, environment=environment)
    url = f"http://127.0.0.1:{port}"
    task = "kernel.forget_expired_keys"
    requests_sent, tasks_sent = 60, 20
    try:
        wait_for(child, "Booting worker")
        for _ in range(tasks_sent):
            publish_now(task, queue="cloud_sync_slow")
        with ThreadPoolExecutor(6) as clients:
            list(clients.map(lambda _: requests.get(f"{url}/api/health", timeout=30), range(requests_sent)))

        def ask() -> Scrape:
            answer = requests.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
            assert answer.status_code == 200
            return Scrape(answer.text)

        labels = {"method": "GET", "route": "/api/health", "status": "200"}
        until(lambda: ask().value("arcadia_http_requests_total", **labels) == requests_sent)
        until(lambda: ask().value("arcadia_tasks_total", task=task, outcome="success") == tasks_sent)
        # Not one lucky process: each of many scrapes, which three processes answer, has all of it.
        for _ in range(12):
            found = ask()
            assert found.value("arcadia_http_requests_total", **labels) == requests_sent
            assert found.value("arcadia_task_seconds_count", task=task) == tasks_sent
            assert found.value("arcadia_queue_workers", queue="cloud_sync_slow") == 1
    finally:
        stop_children([child], within_seconds=15)
        connection.close()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def refuse(*_arguments: object) -> None:
    raise OperationalError("connection to server at 10.1.2.3 failed")
