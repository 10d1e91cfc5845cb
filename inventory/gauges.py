"""Gauges of the inventory: how old each kind's last complete sync is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample
from inventory.queries import sync_ages

SYNC_AGE: Final = Gauge(
    "arcadia_sync_age_seconds",
    "Seconds since a kind was last read completely; absent while it never was.",
    ("kind",),
)
SYNC_STALE: Final = Gauge(
    "arcadia_sync_stale", "Whether a kind's last complete sync is too long ago, or there was none.", ("kind",)
)
GAUGES: Final = (SYNC_AGE, SYNC_STALE)


def read_sync_gauges(at: datetime) -> Iterator[Sample]:
    """Read each synced kind's age."""
    for age in sync_ages(at=at):
        if age.completed_at is not None:
            yield Sample(SYNC_AGE, (at - age.completed_at).total_seconds(), (age.kind,))
        yield Sample(SYNC_STALE, age.is_stale, (age.kind,))
