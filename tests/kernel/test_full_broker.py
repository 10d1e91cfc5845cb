"""A broker that answers and takes no message: it is full, or a read-only replica."""

import threading
import time
from pathlib import Path

import pytest
import redis
from celery import current_app
from celery.beat import ScheduleEntry, SchedulingError
from celery.schedules import schedule
from django.test import override_settings

from arcadia_cloud.http.readiness_checks import check_broker
from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.nudge import breaker, nudge, publish_now
from arcadia_cloud.kernel.queue.schedule.beat import BeatScheduler
from tests.kernel.brokers import answering, use_broker

pytestmark = pytest.mark.django_db(transaction=True)
TASK, QUEUE = "kernel.forget_expired_keys", "cloud_sync_slow"
WAYS = ["full", "read-only"]


def refuse(client: redis.Redis, way: str) -> None:
    if way == "full":
        client.config_set("maxmemory", "1")
    else:
        client.replicaof("127.0.0.1", "1")


def accept(client: redis.Redis) -> None:
    client.config_set("maxmemory", "0")
    client.replicaof("NO", "ONE")


@pytest.mark.parametrize("way", WAYS)
def test_a_publisher_is_refused_and_a_nudge_is_lost_quietly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    with answering(tmp_path) as valkey, redis.Redis.from_url(valkey.url) as client:
        use_broker(monkeypatch, valkey.url)
        refuse(client, way)
        with pytest.raises(BrokerAway):
            publish_now(TASK)
        nudge(TASK)
        breaker.reset()
        with override_settings(CELERY_BROKER_URL=valkey.url):
            assert not check_broker().ok
            accept(client)
            assert check_broker().ok


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_falls_due_is_sent_once_the_broker_takes_it(tmp_path: Path, way: str) -> None:
    with answering(tmp_path) as valkey, redis.Redis.from_url(valkey.url) as client:
        refuse(client, way)
        sending = threading.Thread(target=send, args=(valkey.url,))
        sending.start()
        time.sleep(3)
        assert sending.is_alive(), "it gave the task up"
        assert client.llen(QUEUE) == 0
        accept(client)
        sending.join(timeout=10)
        assert not sending.is_alive()
        assert client.llen(QUEUE) == 1


def test_an_entry_that_cannot_be_sent_holds_up_no_other(tmp_path: Path) -> None:
    with answering(tmp_path) as valkey, pytest.raises(SchedulingError):
        send(valkey.url, kwargs={"what": object()})


def send(url: str, kwargs: dict[str, object] | None = None) -> None:
    """Send a task as beat does."""
    entry = ScheduleEntry(
        name="daily",
        task=TASK,
        schedule=schedule(60),
        kwargs=kwargs or {},
        options={"queue": QUEUE},
        app=current_app,
    )
    scheduler = BeatScheduler(app=current_app, lazy=True)
    # Not the pool's: its connection may be to another test's broker.
    with current_app.connection_for_write(url) as connection:
        producer = current_app.amqp.Producer(connection, auto_declare=False)
        scheduler.apply_async(entry, producer=producer, advance=False)
