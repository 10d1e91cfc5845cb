"""The periods that are due: those that no run has metered yet, and those whose spans have changed since.

Both are read from `metered_periods` and `span_changes`: nothing depends on a run that never was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

import structlog
from django.db.models import Min

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from metering.models import MeteredPeriod, SpanChange
from metering.terms import TermsByDay
from metering.usage import meter_day, meter_hours
from metering.values import DAY, HOUR, METERED_KINDS, Granularity, MeteringCounts, MeteringResult

log = structlog.get_logger(__name__)

ALERT_NOT_METERED: Final = "usage_not_metered"
ALERT_SUBJECT: Final = "metering"

ReportProgress: TypeAlias = Callable[[str], None]

_FIND_TOUCHED: Final = load(__package__, "find_touched_days.sql")
_LATE_AFTER: Final = timedelta(hours=4)
_CHANGES_AT_ONCE: Final = 10_000
# Of more resources the whole day is metered: it reads as much, and compares once.
_MOST_RESOURCES: Final = 2_000


@dataclass(frozen=True, slots=True)
class DuePeriods:
    """The days, and hours of days that aren't due, that no run has metered; oldest first."""

    days: list[date]
    hours: list[datetime]


@dataclass(frozen=True, slots=True)
class _TouchedDay:
    starts_at: datetime
    is_day_metered: bool
    first_hour: datetime | None
    last_hour: datetime | None
    resources: list[int]


def find_due(*, at: datetime, settled_after: timedelta = timedelta(0)) -> DuePeriods:
    """Find what is over, kept, and not metered: days since the first that ever was, and the hours after them.

    A day is looked for once it has been over for `settled_after`. Where no day was ever metered, the last one
    is due.
    """
    terms = TermsByDay()
    daily = MeteredPeriod.objects.filter(granularity=Granularity.DAILY)
    first_metered: datetime | None = daily.aggregate(first=Min("period_start"))["first"]
    end = (at - settled_after).astimezone(UTC).date()  # the day that isn't over
    yesterday = end - DAY
    since = yesterday if first_metered is None else first_metered.astimezone(UTC).date()
    since = max(since, _kept_since(terms, at))
    days: list[date] = []
    if since < end:
        looked_for = Period(since, end)
        starts = daily.filter(period_start__gte=looked_for.starts_at, period_start__lt=looked_for.ends_at)
        metered = {start.astimezone(UTC).date() for start in starts.values_list("period_start", flat=True)}
        days = [day for day in looked_for if day not in metered]
    return DuePeriods(days, _hours_due(terms, end, at))


def meter_due(
    *, at: datetime, settled_after: timedelta = timedelta(0), report: ReportProgress | None = None
) -> MeteringResult:
    """Meter what is due, oldest first, and again what has changed since; return which periods those were.

    While days are late, an alert is open.
    """
    due = find_due(at=at, settled_after=settled_after)
    # Read before anything is metered: a period that is metered from here on sees what these have changed.
    changes = list(SpanChange.objects.order_by("pk").values_list("pk", flat=True))
    _alert_if_late(due.days, at=at)
    terms = TermsByDay()
    counts = MeteringCounts()
    for day in due.days:
        done = meter_day(day, at=at, terms=terms)
        is_missed = day != due.days[-1]
        log.info("day_metered", day=str(day), missed=is_missed, inserted=done.inserted, unsized=done.unsized)
        counts += done
        if report is not None:
            report(f"{day}")
    for hour in due.hours:
        counts += meter_hours(hour, hour + HOUR, at=at, terms=terms)
        if report is not None:
            report(f"{hour:%Y-%m-%d %H:%M}")
    resolve_alert(code=ALERT_NOT_METERED, subject=ALERT_SUBJECT, actor="metering")
    starts = tuple(Period(day, day + DAY).starts_at for day in due.days)
    remetered, changed = _meter_touched(changes, terms, at=at, but=frozenset(starts), report=report)
    return MeteringResult(
        metered=(*starts, *due.hours),
        missed=(*starts[:-1], *due.hours[:-1]),
        remetered=tuple(remetered),
        counts=counts + changed,
    )


def _hours_due(terms: TermsByDay, since: date, at: datetime) -> list[datetime]:
    """Return the hours that are over and not metered, of days from `since` on that have hourly kinds."""
    today = at.astimezone(UTC).date()
    hourly = [
        Period(day, day + DAY).starts_at for day in terms.hourly_days(Period(since, today + DAY), at=at)
    ]
    if not hourly:
        return []
    starts = MeteredPeriod.objects.filter(granularity=Granularity.HOURLY, period_start__gte=hourly[0])
    metered = set(starts.values_list("period_start", flat=True))
    hours = (start + number * HOUR for start in hourly for number in range(24))
    return [hour for hour in hours if hour + HOUR <= at and hour not in metered]


def _meter_touched(
    changes: list[int],
    terms: TermsByDay,
    *,
    at: datetime,
    but: frozenset[datetime],
    report: ReportProgress | None,
) -> tuple[list[datetime], MeteringCounts]:
    """Meter again, of the metered days `but` for some, the resources whose spans these changes are of.

    Returns the days on which that changed the usage.
    """
    kept_since = _kept_since(terms, at)
    parameters = {"kept_since": Period(kept_since, kept_since + DAY).starts_at}
    remetered: set[datetime] = set()
    counts = MeteringCounts()
    for first in range(0, len(changes), _CHANGES_AT_ONCE):
        batch = changes[first : first + _CHANGES_AT_ONCE]
        for touched in fetch_all(_FIND_TOUCHED, {**parameters, "changes": batch}, into=_TouchedDay):
            if touched.starts_at in but:
                continue
            done = _meter_again(touched, terms, at=at)
            if done.inserted or done.corrected or done.removed:
                remetered.add(touched.starts_at)
                log.info(
                    "day_remetered",
                    day=str(touched.starts_at.date()),
                    resources=len(touched.resources),
                    inserted=done.inserted,
                    corrected=done.corrected,
                    removed=done.removed,
                )
            counts += done
            if report is not None:
                report(f"{touched.starts_at:%Y-%m-%d} again")
        # Only now: a run that is killed before it leaves them to the next.
        SpanChange.objects.filter(pk__in=batch).delete()
    return sorted(remetered), counts


def _meter_again(touched: _TouchedDay, terms: TermsByDay, *, at: datetime) -> MeteringCounts:
    resources = touched.resources if len(touched.resources) <= _MOST_RESOURCES else None
    if touched.is_day_metered:
        return meter_day(touched.starts_at.date(), at=at, terms=terms, resources=resources)
    if touched.first_hour is None or touched.last_hour is None:
        return MeteringCounts()
    # Those in between are metered, too: what was missed comes before.
    return meter_hours(touched.first_hour, touched.last_hour + HOUR, at=at, terms=terms, resources=resources)


def _kept_since(terms: TermsByDay, at: datetime) -> date:
    """Return the first day of which the usage of any kind of resources is kept."""
    return min(terms.kept_since(metered.billing_kind, at) for metered in METERED_KINDS)


def _alert_if_late(days: list[date], *, at: datetime) -> None:
    late = [day for day in days if Period(day, day + DAY).ends_at + _LATE_AFTER <= at]
    if late:
        span = f"{late[0]}" if len(late) == 1 else f"{len(late)} days from {late[0]} to {late[-1]}"
        raise_alert(
            code=ALERT_NOT_METERED,
            subject=ALERT_SUBJECT,
            message=f"{span}: not metered in time. This run meters what was missed.",
            details={"days": [str(day) for day in late]},
        )
