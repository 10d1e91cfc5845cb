"""The only door for writes of metering. What is re-exported stands in the module named after the work."""

from metering.catch_up import DuePeriods, find_due, meter_due, meter_settled
from metering.retention import prune_usage
from metering.terms import set_metering_terms
from metering.usage import meter_day, meter_hour, meter_hours

__all__ = [
    "DuePeriods",
    "find_due",
    "meter_day",
    "meter_due",
    "meter_hour",
    "meter_hours",
    "meter_settled",
    "prune_usage",
    "set_metering_terms",
]
