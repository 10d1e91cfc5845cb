"""A wake-up on commit, and what it may cost when the broker is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.db import transaction
from django.utils import timezone

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue import wake as wake_module
from arcadia_cloud.kernel.queue.nudge import breaker, nudge, publish_now
from arcadia_cloud.kernel.queue.wake import clear_wake_flag, wake
from tests.kernel import brokers
from tests.kernel.brokers import answering, refusing, use_broker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def closed_breaker() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


def messages(url: str, queue: str = "cloud_sync_slow") -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.llen(queue))


def test_a_task_is_sent_after_the_commit_and_not_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        with transaction.atomic():
            nudge("kernel.forget_expired_keys")
            assert messages(valkey.url) == 0
        assert messages(valkey.url) == 1
        publish_now("kernel.forget_expired_keys", queue="metering")
        assert messages(valkey.url, "metering") == 1


def test_a_rolled_back_transaction_wakes_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail() -> None:
        with transaction.atomic():
            nudge("kernel.forget_expired_keys")
            raise ZeroDivisionError

    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        with pytest.raises(ZeroDivisionError):
            fail()
        assert messages(valkey.url) == 0


@pytest.mark.parametrize("way", ["refusing", "silent", "full", "stopped", "unknown host"])
def test_a_broker_that_is_away_costs_under_two_seconds_and_no_row(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with brokers.away(way, tmp_path) as url:
        use_broker(monkeypatch, url)
        began = time.monotonic()
        with transaction.atomic():
            alert()
            for _ in range(10):
                nudge("kernel.forget_expired_keys")
        took = time.monotonic() - began
    assert took < 2
    assert Alert.objects.count() == 1


def test_a_broker_that_comes_back_is_used_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        valkey.stop()
        with transaction.atomic():
            nudge("kernel.forget_expired_keys")
        valkey.start()
        breaker.reset()
        with transaction.atomic():
            nudge("kernel.forget_expired_keys")
        assert messages(valkey.url) == 1


def test_a_connection_that_the_broker_has_closed_loses_no_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        publish_now("kernel.forget_expired_keys")
        valkey.stop()
        valkey.start()
        publish_now("kernel.forget_expired_keys")
        assert messages(valkey.url) == 1


def test_many_messages_share_a_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        publish_now("kernel.forget_expired_keys")
        with redis.Redis.from_url(valkey.url) as client:
            before = client.info("stats")["total_connections_received"]
            for _ in range(10):
                publish_now("kernel.forget_expired_keys")
            assert client.info("stats")["total_connections_received"] == before
        assert messages(valkey.url) == 11


def test_who_was_woken_is_not_woken_again_until_it_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        with transaction.atomic():
            for _ in range(10):
                wake("kernel.forget_expired_keys", queue="metering")
            assert messages(valkey.url, "metering") == 0
        assert messages(valkey.url, "metering") == 1
        wake("kernel.forget_forgotten", queue="metering")
        assert messages(valkey.url, "metering") == 2, "another task is woken for itself"
        clear_wake_flag("kernel.forget_expired_keys")
        wake("kernel.forget_expired_keys", queue="metering")
        assert messages(valkey.url, "metering") == 3


def test_one_who_was_woken_and_never_looked_keeps_others_asleep_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wake_module, "_FLAG_SECONDS", 1)
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        wake("kernel.forget_expired_keys", queue="metering")
        time.sleep(1.1)
        wake("kernel.forget_expired_keys", queue="metering")
        assert messages(valkey.url, "metering") == 2


@pytest.mark.parametrize("way", ["refusing", "silent", "stopped"])
def test_waking_and_being_woken_bear_a_broker_that_is_away(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with brokers.away(way, tmp_path) as url:
        use_broker(monkeypatch, url)
        began = time.monotonic()
        for _ in range(5):
            wake("kernel.forget_expired_keys", queue="metering")
            clear_wake_flag("kernel.forget_expired_keys")
        assert time.monotonic() - began < 2


def test_a_broker_that_restarted_is_woken_through_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering(tmp_path) as valkey:
        use_broker(monkeypatch, valkey.url)
        wake("kernel.forget_expired_keys", queue="metering")
        valkey.stop()
        valkey.start()
        wake("kernel.forget_expired_keys", queue="metering")
        assert messages(valkey.url, "metering") == 1


def alert() -> None:
    now = timezone.now()
    Alert.objects.create(
        code="test", subject="x", severity="warning", message="", raised_at=now, last_raised_at=now
    )


def test_a_worker_looks_for_its_broker_for_as_long_as_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    # Celery's own limit ends the worker after a hundred attempts, which is three quarters of an hour.
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _seconds: None)
    attempts = 0

    def count(_error: Exception, _interval: float) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 150:
            raise LookupError

    with current_app.connection_for_read(url=refusing()) as connection, pytest.raises(LookupError):
        connection.ensure_connection(count, current_app.conf.broker_connection_max_retries)
