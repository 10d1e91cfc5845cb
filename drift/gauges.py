"""Gauges of drift: how much is open, and since when."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Count, Min

from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample
from drift.models import Drift

OPEN: Final = Gauge("arcadia_drift_open", "Open differences between desired and live state.")
OLDEST: Final = Gauge(
    "arcadia_drift_oldest_seconds", "Seconds since the oldest open difference was detected; 0 without one."
)
GAUGES: Final = (OPEN, OLDEST)


def read_drift_gauges(at: datetime) -> Iterator[Sample]:
    """Count what is open. One query."""
    found = Drift.objects.open().aggregate(number=Count("pk"), oldest=Min("detected_at"))
    oldest = found["oldest"]
    yield Sample(OPEN, found["number"])
    yield Sample(OLDEST, 0 if oldest is None else (at - oldest).total_seconds())
