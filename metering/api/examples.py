"""Examples of the metering API's questions and answers, for the schema and its page."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.examples import NOT_FOUND, UNKNOWN_PARAMETER, answer, refusal
from catalog.api.examples import QUOTE as CATALOG_QUOTE

_DAYS: Final = {"start": "2026-07-01", "end": "2026-07-11"}
_RECORD: Final = {
    "id": 81,
    "deployment": 4,
    "resource": 13,
    "kind": "droplet_hours",
    "period_start": "2026-07-10T00:00:00Z",
    "period_end": "2026-07-11T00:00:00Z",
    "granularity": "daily",
    "qty": "24",
    "sub_account": "",
}


def _body(name: str, *events: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value={"source": "llm-gateway", "events": list(events)}, request_only=True)


_AT: Final = "2026-07-10T09:15:02Z"
_EVENT: Final = {
    "event_id": "req-7f3a", "deployment": 4, "kind": "llm_tokens", "quantity": "1840", "at": _AT,
}  # fmt: skip
_READING: Final = {
    "event_id": "r-118", "deployment": 4, "kind": "bandwidth_gb", "reading": "512.25", "sequence": 118,
    "at": _AT,
}  # fmt: skip

USAGE: Final = [answer(_RECORD, status=200), UNKNOWN_PARAMETER]
SEND: Final = [
    _body("Quantities", _EVENT),
    _body("A meter's reading", _READING),
    answer({"received": 1, "counted": 1, "duplicates": 0}, name="Taken", status=200),
    refusal(
        "Bad event", 400, code="invalid_usage",
        detail="1 of 2 events can't be taken, so none is; see errors.",
        events__1__quantity="May not be negative.",
    ),
    refusal(
        "Out of order", 409, code="usage_refused",
        detail="1 of 1 events can't be taken, so none is; see errors.",
        events__0__sequence="Must be above 118, that of the meter's last reading.",
    ),
]  # fmt: skip
SUMMARY: Final = [
    answer(
        {"period": _DAYS, "days": [{"day": "2026-07-10", "kind": "droplet_hours", "qty": "48"}]}, status=200
    ),
    UNKNOWN_PARAMETER,
]
DEPLOYMENT_USAGE: Final = [
    answer(
        {
            "deployment": 4,
            "period": _DAYS,
            "usage": [{"kind": "bandwidth_gb", "qty": "81.25"}, {"kind": "droplet_hours", "qty": "480"}],
            "bandwidth_coverage": "0.9986",
        },
        status=200,
    ),
    NOT_FOUND,
]
QUOTE: Final = [
    answer(
        {
            "deployment": 4,
            "plan": "studio",
            "version": 1,
            "is_final": True,
            "quote": CATALOG_QUOTE,
            "forecast": None,
        },
        status=200,
    ),
    NOT_FOUND,
    refusal(
        "Never subscribed", 409, code="not_subscribed",
        detail="the deployment was never subscribed: nothing has a price",
    ),
]  # fmt: skip
