"""The bandwidth of droplets: in the official document's shape, and the same at every request."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import jsonschema_rs
import pytest

from simulator.server import serve
from simulator.simulation import Simulation
from tests.simulator.api import Api

SHOP_WEB: Final = 480_000_000
PATH: Final = "/v2/monitoring/metrics/droplet/bandwidth"
_SAMPLE: Final = {
    "type": "array",
    "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "minItems": 2,
    "maxItems": 2,
}
# Source: digitalocean/openapi, resources/monitoring/models: metrics, metrics_data, metrics_result.
SHAPE: Final = {
    "type": "object",
    "required": ["status", "data"],
    "properties": {
        "status": {"enum": ["success", "error"]},
        "data": {
            "type": "object",
            "required": ["resultType", "result"],
            "properties": {
                "resultType": {"enum": ["matrix"]},
                "result": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["metric", "values"],
                        "properties": {
                            "metric": {"type": "object", "additionalProperties": {"type": "string"}},
                            "values": {"type": "array", "items": _SAMPLE},
                        },
                    },
                },
            },
        },
    },
}


def window(day: int = 5, *, month: int = 5) -> str:
    start = int(datetime(2026, month, day, tzinfo=UTC).timestamp())
    return f"host_id={SHOP_WEB}&interface=public&direction=outbound&start={start}&end={start + 86_400}"


def ask(api: Api, query: str | None = None) -> list[dict[str, Any]]:
    body = api.get(f"{PATH}?{query or window()}")
    jsonschema_rs.Draft202012Validator(SHAPE).validate(body)
    found: list[dict[str, Any]] = body["data"]["result"]
    return found


def test_a_day_has_a_sample_every_two_minutes_and_always_the_same(api: Api) -> None:
    [series] = ask(api)
    assert series["metric"] == {"host_id": str(SHOP_WEB), "interface": "public", "direction": "outbound"}
    times = [at for at, _ in series["values"]]
    assert len(times) == 721
    assert {later - earlier for earlier, later in pairwise(times)} == {120}
    assert all(0 < Decimal(rate) < 3 for _, rate in series["values"])
    with serve(Simulation(fleet="droplets", seed=7)) as url, Api(url) as other:
        assert ask(other) == [series]
    assert ask(api, window().replace("outbound", "inbound"))[0]["metric"]["direction"] == "inbound"


def test_nothing_is_measured_of_what_is_off_or_unknown_or_to_come(api: Api) -> None:
    assert ask(api, window().replace(str(SHOP_WEB), "1")) == []
    later = int(datetime(2031, 5, 5, tzinfo=UTC).timestamp())
    assert ask(api, f"host_id={SHOP_WEB}&interface=public&direction=outbound&start={later}&end={later}") == []
    api.patch(f"/_control/droplets/{SHOP_WEB}", {"status": "off"})
    assert ask(api) == []


def test_a_fault_leaves_hours_out(api: Api) -> None:
    api.arm("missing_samples", hour=6, hours=6)
    [series] = ask(api)
    assert len(series["values"]) == 721 - 6 * 30
    assert not {6, 11} & {datetime.fromtimestamp(at, UTC).hour for at, _ in series["values"]}
    assert len(ask(api)[0]["values"]) == 721


@pytest.mark.parametrize(
    "query",
    [
        window().replace("public", "wifi"),
        window().replace("&direction=outbound", ""),
        window().replace("host_id=480000000", "host_id=x"),
        window(1) + "0",
        f"host_id={SHOP_WEB}&interface=public&direction=outbound&start=9&end=8",
    ],
)
def test_a_question_that_makes_no_sense_is_a_400(api: Api, query: str) -> None:
    assert api.refusal("GET", f"{PATH}?{query}")[:2] == (400, "bad_request")
