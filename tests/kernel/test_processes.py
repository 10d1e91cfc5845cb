"""Heartbeats: which queues have a worker, what waits in them, and the alert where there is none."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from arcadia_cloud.http.process_checks import check_workers
from arcadia_cloud.kernel.models import Alert, ProcessHeartbeat
from arcadia_cloud.kernel.processes import (
    DEAD_AFTER,
    queue_lengths,
    raise_alerts_of_queues,
    read_processes,
    record_heartbeat,
)
from tests.kernel import brokers
from tests.processes import Workers

NOW = datetime(2026, 5, 10, 14, 30, tzinfo=UTC)
ALL = tuple(settings.QUEUES)


def alive(name: str, *queues: str, ago: timedelta = timedelta(0)) -> None:
    record_heartbeat(name, queues=queues, started_at=NOW - timedelta(hours=1), at=NOW - ago)


@pytest.mark.django_db
def test_a_worker_counts_for_its_queues_until_it_is_silent_for_too_long() -> None:
    alive("one@host", "provisioning", "metering")
    alive("two@host", "provisioning", ago=DEAD_AFTER - timedelta(seconds=1))
    alive("three@host", "metering", ago=DEAD_AFTER)
    states = {queue.name: queue for queue in read_processes(at=NOW).queues}
    assert {name: state.workers for name, state in states.items() if state.workers} == {
        "provisioning": 2,
        "metering": 1,
    }
    assert states["provisioning"].seen_at == NOW
    assert states["cloud_billing"].seen_at is None


@pytest.mark.django_db
def test_each_queue_without_a_worker_has_an_alert_until_it_has_one() -> None:
    alive("one@host", *[name for name in ALL if name != "provisioning"])
    assert raise_alerts_of_queues(at=NOW) == ["provisioning"]
    assert raise_alerts_of_queues(at=NOW) == ["provisioning"]
    alert = Alert.objects.get(resolved_at=None)
    assert (alert.code, alert.subject, alert.severity) == ("no_worker", "queue:provisioning", "critical")
    alive("two@host", "provisioning")
    assert raise_alerts_of_queues(at=NOW) == []
    assert not Alert.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_readiness_names_what_does_not_run(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    alive("one@host", *ALL[1:])
    result = check_workers()
    assert (result.ok, result.vital) == (False, False)
    assert result.message == f"none takes from {ALL[0]}; no beat runs: nothing is scheduled"
    alive("two@host", ALL[0])
    alive("beat@host")
    assert check_workers().message == "every queue has one"


@pytest.mark.django_db
def test_a_process_that_ended_without_a_word_is_forgotten_after_a_day() -> None:
    alive("old@host", "metering", ago=timedelta(days=1, seconds=1))
    alive("new@host", "metering")
    assert list(ProcessHeartbeat.objects.values_list("name", flat=True)) == ["new@host"]


def test_lengths_are_unknown_while_the_broker_gives_no_answer(tmp_path: Path, settings: Any) -> None:
    with brokers.answering(tmp_path) as valkey:
        settings.CELERY_BROKER_URL = valkey.url
        assert queue_lengths() == dict.fromkeys(ALL, 0)
    assert queue_lengths() == {}


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_worker_and_a_beat_write_heartbeats_and_one_that_ends_in_good_order_takes_its_own_back(
    worker: Workers,
) -> None:
    worker.beat()
    process = worker("provisioning", "metering")
    until(lambda: ProcessHeartbeat.objects.count() == 2)
    found = {each.name.partition("@")[0]: each.queues for each in ProcessHeartbeat.objects.all()}
    assert found == {"beat": [], "worker-1-" + str(os.getpid()): ["metering", "provisioning"]}
    psutil.Process(process.process.pid).send_signal(signal.SIGTERM)
    until(lambda: ProcessHeartbeat.objects.count() == 1)


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
