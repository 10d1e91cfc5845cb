"""Metrics of the calls to DigitalOcean, and of the calls that its rate limit leaves."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from arcadia_cloud.digitalocean.credentials import PURPOSES
from arcadia_cloud.digitalocean.errors import MissingToken
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.kernel.metrics.counts import OF_REQUESTS, Counter, Histogram, declare
from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample

CALLS: Final = declare(
    Counter(
        "arcadia_provider_calls_total",
        "Calls sent to DigitalOcean's API, by method and status; `none`: no answer.",
        ("method", "status"),
    )
)
CALL_SECONDS: Final = declare(
    Histogram(
        "arcadia_provider_call_seconds",
        "Seconds until DigitalOcean's response began.",
        ("method",),
        OF_REQUESTS,
    )
)
CALLS_LEFT: Final = Gauge(
    "arcadia_provider_calls_left",
    "Calls that the rate limit leaves in the running hour, by the token's purpose.",
    ("purpose",),
)
CALLS_LIMIT: Final = Gauge(
    "arcadia_provider_calls_limit", "Calls that an hour has in all, by the token's purpose.", ("purpose",)
)


def count_call(method: str, status: int | None, seconds: float) -> None:
    """Count one call."""
    CALLS.add(method, "none" if status is None else str(status))
    CALL_SECONDS.observe(seconds, method)


def read_budgets(_at: datetime) -> Iterator[Sample]:
    """Read what is left for each purpose that has a token; purposes of one token share it."""
    for purpose in PURPOSES:
        budget = RateBudget(purpose)
        try:
            left, limit = budget.left_this_hour(), budget.hourly_limit()
        except MissingToken:
            # Not an error of the scrape: an installation may have no token for a purpose.
            continue
        for gauge, value in ((CALLS_LEFT, left), (CALLS_LIMIT, limit)):
            if value is not None:
                yield Sample(gauge, value, (purpose.lower(),))
