"""The bandwidth of droplets through the client."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from arcadia_cloud.digitalocean.errors import ProviderMalformed
from tests.digitalocean.conftest import Connect
from tests.digitalocean.provider import Reply

DAY = {"start": datetime(2026, 5, 5, tzinfo=UTC), "end": datetime(2026, 5, 6, tzinfo=UTC)}


def answer(*values: list[Any], status: str = "success") -> dict[str, Any]:
    series = {"metric": {"host_id": "17", "direction": "outbound", "interface": "public"}, "values": values}
    return {"status": status, "data": {"resultType": "matrix", "result": [series]}}


def test_rates_come_exact_with_their_times(connect: Connect) -> None:
    body = answer([1777939200, "0.016600450090265357"], [1777939320, "1"])
    client, server = connect(lambda _seen: Reply(body=body))
    [series] = client.droplet_bandwidth(17, **DAY)
    assert series.values == [(Decimal(1777939200), "0.016600450090265357"), (Decimal(1777939320), "1")]
    assert server.seen[0].query == {
        "host_id": "17",
        "interface": "public",
        "direction": "outbound",
        "start": "1777939200",
        "end": "1778025600",
    }


def test_a_droplet_without_samples_has_no_series(connect: Connect) -> None:
    body = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    client, _ = connect(lambda _seen: Reply(body=body))
    assert client.droplet_bandwidth(17, **DAY) == []


def test_an_answer_that_says_it_is_none_is_not_taken_for_no_traffic(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(body=answer(status="error")))
    with pytest.raises(ProviderMalformed, match="status is error"):
        client.droplet_bandwidth(17, **DAY)


def test_a_sample_that_is_no_pair_is_named(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(body=answer([1777939200])))
    with pytest.raises(ProviderMalformed):
        client.droplet_bandwidth(17, **DAY)
