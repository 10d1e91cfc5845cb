"""The only door for writes of metering. What is re-exported stands in the module named after the work."""

from datetime import datetime, timedelta
from typing import Final

from arcadia_cloud.kernel.leases import lease
from metering import catch_up
from metering.bandwidth import (
    BandwidthResult,
    check_bandwidth_source,
    measure_bandwidth,
    set_bandwidth_source,
)
from metering.closed_months import record_closed_month
from metering.event_partitions import create_partitions_ahead, drop_expired_events
from metering.intake import record_usage, recount_events
from metering.retention import prune_usage
from metering.terms import check_metering_terms, set_metering_terms
from metering.usage import meter_day, meter_hour, meter_hours
from metering.values import MeteringResult

__all__ = [
    "BandwidthResult",
    "check_bandwidth_source",
    "check_metering_terms",
    "create_partitions_ahead",
    "drop_expired_events",
    "measure_bandwidth",
    "meter_day",
    "meter_due",
    "meter_hour",
    "meter_hours",
    "meter_settled",
    "prune_usage",
    "record_closed_month",
    "record_usage",
    "recount_events",
    "set_bandwidth_source",
    "set_metering_terms",
]

_LEASE: Final = "metering"
# A day is due when its last syncs have come in, by the daily run; the hourly one leaves it that much time.
_SETTLED_AFTER: Final = timedelta(hours=2)
_WAIT_SECONDS: Final = 600  # the hourly run may be at it: the daily one outwaits it


def meter_due(*, at: datetime, report: catch_up.ReportProgress | None = None) -> MeteringResult:
    """Meter what is over and no run has metered, and again what has changed; see `catch_up.meter_due`.

    One at a time. Raises LeaseHeld where another process still does it after ten minutes.
    """
    with lease(_LEASE, wait_seconds=_WAIT_SECONDS):
        return catch_up.meter_due(at=at, report=report)


def meter_settled(*, at: datetime) -> MeteringResult:
    """Meter, hourly, the hours that are over, days that the daily run has missed, and what has changed.

    Raises LeaseHeld while another process does it.
    """
    with lease(_LEASE):
        return catch_up.meter_due(at=at, settled_after=_SETTLED_AFTER)
