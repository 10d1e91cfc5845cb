"""Asking the workers for a sync."""

import json
from typing import Any

import pytest
import redis

from arcadia_cloud.kernel.queue.broker import BrokerAway
from inventory.services import request_sync
from inventory.values import RunMode
from tests.kernel.brokers import refusing, use_broker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("patient_broker")]


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(monkeypatch, refusing())


@pytest.mark.parametrize("mode", RunMode)
@pytest.mark.parametrize("must_reach_broker", [False, True])
def test_each_way_of_asking_sends_the_same_task(
    valkey_client: redis.Redis, mode: RunMode, must_reach_broker: bool
) -> None:
    request_sync(mode=mode, actor="a test", must_reach_broker=must_reach_broker)

    waiting: Any = valkey_client.lrange(f"cloud_sync_{mode}", 0, -1)
    [headers] = [json.loads(raw)["headers"] for raw in waiting]
    assert headers["task"] == "inventory.sync"
    assert headers["kwargsrepr"] == f"{{'mode': '{mode}', 'actor': 'a test'}}"


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_away_is_told_only_to_who_waits_for_the_answer() -> None:
    request_sync(mode=RunMode.FAST, actor="a test")
    with pytest.raises(BrokerAway, match="nothing was started"):
        request_sync(mode=RunMode.FAST, actor="a test", must_reach_broker=True)
