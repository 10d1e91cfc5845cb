"""The usage of resources, a day or an hour at a time, for the whole fleet in two statements.

Each period's records are made what follows from `resource_spans`: missing ones are inserted, wrong ones
corrected, the rest removed. So it may be done any number of times, in any order and by several at once: a
period's usage depends on the spans and on the terms of its day alone, never on when it is metered.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, cast

import msgspec
from django.db import transaction

from arcadia_cloud.kernel.periods import Period, month_of
from arcadia_cloud.kernel.sql import execute, fetch_one, load
from metering.errors import PeriodNotOver, PeriodPruned
from metering.terms import TermsByDay
from metering.values import DAY, HOUR, Granularity, MeteredKind, MeteringCounts

_CLAIM: Final = load(__package__, "claim_periods.sql")
_METER: Final = load(__package__, "meter.sql")


def meter_day(
    day: date, *, at: datetime, terms: TermsByDay | None = None, resources: Sequence[int] | None = None
) -> MeteringCounts:
    """Make the usage of a UTC day exactly what follows from the spans; a second run changes nothing.

    Kinds that are metered hourly on that day get its hours. `resources` limits it to those.
    Raises PeriodNotOver before the day's end, PeriodPruned where the usage of no kind is kept that long.
    """
    bounds = Period(day, day + DAY)
    if bounds.ends_at > at:
        raise PeriodNotOver(f"{day} isn't over before {bounds.ends_at:%Y-%m-%d %H:%M} UTC")
    kinds = list((terms or TermsByDay()).metered_on(day, at=at))
    if not kinds:
        raise PeriodPruned(f"usage of {day} is older than any that is kept")
    claims = [(Granularity.DAILY, bounds.starts_at)]
    if any(granularity == Granularity.HOURLY for _, granularity in kinds):
        claims += [(Granularity.HOURLY, bounds.starts_at + hour * HOUR) for hour in range(24)]
    return _meter(claims, bounds.starts_at, bounds.ends_at, kinds, at=at, resources=resources)


def meter_hours(
    since: datetime,
    until: datetime,
    *,
    at: datetime,
    terms: TermsByDay | None = None,
    resources: Sequence[int] | None = None,
) -> MeteringCounts:
    """Make the usage of whole hours of a UTC day what follows from the spans, for kinds metered hourly.

    Where there are none on that day it does nothing. Raises PeriodNotOver before the end of the last hour.
    """
    if until > at:
        raise PeriodNotOver(f"the hour isn't over before {until:%Y-%m-%d %H:%M} UTC")
    day = since.astimezone(UTC).date()
    on_that_day = (terms or TermsByDay()).metered_on(day, at=at)
    kinds = [each for each in on_that_day if each[1] == Granularity.HOURLY]
    if not kinds:
        return MeteringCounts()
    hours = range((until - since) // HOUR)
    claims = [(Granularity.HOURLY, since + hour * HOUR) for hour in hours]
    return _meter(claims, since, until, kinds, at=at, resources=resources)


def meter_hour(hour: datetime, *, at: datetime) -> MeteringCounts:
    """Meter the hour that begins at `hour`, of the kinds that are metered hourly; see `meter_hours`."""
    return meter_hours(hour, hour + HOUR, at=at)


def _meter(
    claims: Sequence[tuple[Granularity, datetime]],
    since: datetime,
    until: datetime,
    kinds: Sequence[tuple[MeteredKind, Granularity]],
    *,
    at: datetime,
    resources: Sequence[int] | None,
) -> MeteringCounts:
    month = month_of(since)
    parameters = {
        "since": since,
        "until": until,
        "month_since": month.starts_at,
        "month_seconds": month.days * 86_400,
        "kinds": msgspec.json.encode(
            [
                {
                    "kind": str(metered.kind),
                    "billing_kind": str(metered.billing_kind),
                    "accrual": str(metered.accrual),
                    "granularity": str(granularity),
                    "step": f"{granularity.length // HOUR} hours",
                }
                for metered, granularity in kinds
            ]
        ).decode(),
        "resources": None if resources is None else list(resources),
    }
    with transaction.atomic():
        # A statement of its own, and the first: the next one then sees what the one before it has committed.
        execute(
            _CLAIM,
            {
                "granularities": [str(granularity) for granularity, _ in claims],
                "starts": [start for _, start in claims],
                "at": at,
            },
        )
        return cast(
            "MeteringCounts", fetch_one(_METER, parameters, into=MeteringCounts)
        )  # an aggregate's row
