"""The only door for writes of metering. What is re-exported stands in the module named after the work."""

from metering.bandwidth import (
    BandwidthResult,
    check_bandwidth_source,
    measure_bandwidth,
    set_bandwidth_source,
)
from metering.catch_up import DuePeriods, find_due, meter_due, meter_settled
from metering.event_partitions import create_partitions_ahead, drop_expired_events
from metering.intake import record_usage, recount_events
from metering.retention import prune_usage
from metering.terms import check_metering_terms, set_metering_terms
from metering.usage import meter_day, meter_hour, meter_hours

__all__ = [
    "BandwidthResult",
    "DuePeriods",
    "check_bandwidth_source",
    "check_metering_terms",
    "create_partitions_ahead",
    "drop_expired_events",
    "find_due",
    "measure_bandwidth",
    "meter_day",
    "meter_due",
    "meter_hour",
    "meter_hours",
    "meter_settled",
    "prune_usage",
    "record_usage",
    "recount_events",
    "set_bandwidth_source",
    "set_metering_terms",
]
