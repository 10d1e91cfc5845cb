"""Half-open ranges of dates, and the calendar's months among them. All dates are UTC's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from arcadia_cloud.kernel.money import Money, minor_digits

_MONTH: Final = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})(?P<day>-01)?")
_NO_MONTH: Final = "Must be a month, as 2026-04, or its first day, as 2026-04-01."
_DIVISION: Final = Context(prec=100, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `start` up to, but not including, `end`: one at least. Raises ValueError for none."""

    start: date
    end: date

    def __post_init__(self) -> None:
        # A datetime is a date to Python, and would compare with none.
        if isinstance(self.start, datetime) or isinstance(self.end, datetime):
            raise TypeError("a period's bounds are dates, not instants")
        if self.start >= self.end:
            raise ValueError(f"a period ends after it starts: {self.start} to {self.end}")

    @property
    def days(self) -> int:
        """The number of its days."""
        return (self.end - self.start).days

    @property
    def starts_at(self) -> datetime:
        """Midnight UTC at which it starts."""
        return datetime.combine(self.start, time.min, UTC)

    @property
    def ends_at(self) -> datetime:
        """Midnight UTC at which it ends; the first instant that isn't in it."""
        return datetime.combine(self.end, time.min, UTC)

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=number) for number in range(self.days))

    def contains(self, when: "date | datetime | Period") -> bool:
        """Return whether the day, the instant or all of the other period is in it."""
        if isinstance(when, Period):
            return self.start <= when.start and when.end <= self.end
        return self.start <= _day_of(when) < self.end

    def overlap(self, other: "Period") -> "Period | None":
        """Return the days that both have; None where they share none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def split(self, *days: date) -> "list[Period]":
        """Cut it at the start of each of these days; one outside or at its bounds cuts nothing."""
        inside = sorted({day for day in days if self.start < day < self.end})
        return [Period(*bounds) for bounds in zip([self.start, *inside], [*inside, self.end], strict=True)]

    def share(self, amount: Decimal, part: "Period", *, places: int) -> Decimal:
        """Return what of `amount`, spread evenly over the days of this period, falls into `part`.

        Shares telescope: those of adjacent parts add up to the share of both, and those of the whole period
        to `amount`, to the last digit. Each is a difference of two running totals, rounded half up to so many
        decimal places. Raises ValueError where `part` isn't within the period.
        """
        if not self.contains(part):
            raise ValueError(f"{part.start} to {part.end} isn't within {self.start} to {self.end}")
        # Never a division of the part's own days: the roundings of all parts would add up to another amount.
        until_end = self._running_total(amount, part.end, places)
        return _DIVISION.subtract(until_end, self._running_total(amount, part.start, places))

    def prorate(self, amount: Money, part: "Period") -> Money:
        """Return the share of money that falls into `part`, in whole minor units; see `share`."""
        return Money(self.share(amount.amount, part, places=minor_digits(amount.currency)), amount.currency)

    def _running_total(self, amount: Decimal, until: date, places: int) -> Decimal:
        if until == self.end:
            return amount  # unrounded: the last part takes what finer digits the amount has
        product = _DIVISION.multiply(amount, (until - self.start).days)
        return _DIVISION.divide(product, self.days).quantize(Decimal(1).scaleb(-places), context=_DIVISION)


def month_of(when: date | datetime) -> Period:
    """Return the month of a day, or of an instant in UTC. Raises ValueError for a naive instant."""
    first = _day_of(when).replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1))


def previous_month(when: date | datetime) -> Period:
    """Return the month before that of the day or the instant."""
    return month_of(month_of(when).start - timedelta(days=1))


def next_month(when: date | datetime) -> Period:
    """Return the month after that of the day or the instant."""
    return month_of(month_of(when).end)


def parse_month(text: str) -> Period:
    """Read a month, as `2026-04` or its first day `2026-04-01`. Raises ValueError for anything else."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise ValueError(_NO_MONTH)
    try:
        return month_of(date(int(found["year"]), int(found["month"]), 1))
    except (ValueError, OverflowError):  # the last month that Python knows has no end in it
        raise ValueError(_NO_MONTH) from None


def one_month_before(at: datetime) -> datetime:
    """Return the same moment of the month before; its last microsecond where that month is too short."""
    month = month_of(at)
    last = month.starts_at - timedelta(microseconds=1)
    return min(last, previous_month(at).starts_at + (at - month.starts_at))


def _day_of(when: date | datetime) -> date:
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is None:
        raise ValueError("an instant without a time zone belongs to no day")
    return when.astimezone(UTC).date()
