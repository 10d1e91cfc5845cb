"""Rating: the charge of a resource for a month, by the hour and never above its monthly price."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from simulator.billing.lines import TAXES, Line

FULL_MONTH_HOURS: Final = 672  # four weeks; a longer month costs no more
_SECOND: Final = timedelta(seconds=1)
_PROJECTS_SINCE: Final = date(2018, 10, 1)
_TAX_SINCE: Final = date(2017, 7, 1)
_TAX_PERCENT: Final = 10
_DISCOUNT_PERCENT: Final = {
    date(2015, 9, 1): 5,
    date(2016, 3, 1): 5,
    date(2019, 11, 1): 10,
    date(2025, 9, 1): 30,
}
_ENDS_WITH_THE_MONTH: Final = frozenset({"Droplets", "Kubernetes Clusters", "Database Clusters"})


@dataclass(frozen=True, slots=True)
class BillableResource:
    """A resource with its monthly price, from its start to its end (None: it still exists)."""

    product: str
    description: str
    monthly_cents: int
    started_at: datetime
    ended_at: datetime | None = None
    group: str = ""
    project: str = ""
    category: str = "iaas"
    resource_id: str = ""
    resource_uuid: str = ""

    def end_at(self, at: datetime) -> "BillableResource":
        return replace(self, ended_at=at)


def month_after(month: date) -> date:
    # Every month has a 28th, and four days later it is over.
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time_of_day(), UTC)


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer, halves away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded


def charge_month(resource: BillableResource, month: date, *, as_of: datetime) -> Line | None:
    """Return the line of a resource in the month, up to `as_of`; None if it didn't exist for an hour."""
    after = midnight(month_after(month))
    start, end = _charged_span(resource, midnight(month), min(after, as_of))
    hours = _whole_hours(start, end)
    if hours < 1:
        return None
    # Real invoices end some products with the month's last second and some with the next one's first.
    printed_end = end - _SECOND if end == after and resource.product not in _ENDS_WITH_THE_MONTH else end
    return Line(
        product=resource.product,
        description=resource.description,
        start=start,
        end=printed_end,
        cents=_cents_of(resource, hours),
        hours=hours,
        group=resource.group,
        project=resource.project if month >= _PROJECTS_SINCE else "",
        category=resource.category,
        resource_id=resource.resource_id,
        resource_uuid=resource.resource_uuid,
    )


def charged_cents(resource: BillableResource, month_begins: datetime, as_of: datetime) -> int:
    """Return the cents alone of a resource's line; `as_of` is in the month, or its end."""
    hours = _whole_hours(*_charged_span(resource, month_begins, as_of))
    return _cents_of(resource, hours) if hours >= 1 else 0


def _charged_span(resource: BillableResource, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    return max(first, resource.started_at), min(last, resource.ended_at or last)


def _whole_hours(start: datetime, end: datetime) -> int:
    # Floored: a part of an hour is not charged, as on real invoices.
    return int((end - start).total_seconds()) // 3600


def _cents_of(resource: BillableResource, hours: int) -> int:
    return half_up(resource.monthly_cents * min(hours, FULL_MONTH_HOURS), FULL_MONTH_HOURS)


def add_discount_and_tax(lines: list[Line], month: date, *, as_of: datetime) -> list[Line]:
    """Return the lines, followed by the discount of some months and the GST of the sum."""
    found = [*lines]
    end = min(midnight(month_after(month)) - _SECOND, as_of)
    percent = _DISCOUNT_PERCENT.get(month, 0)
    # Before the tax, which is due on the discounted sum.
    if percent:
        off = -half_up(sum(line.cents for line in lines) * percent, 100)
        found.append(Line("Contract Discount", "Contract Discount IaaS", midnight(month), end, off))
    if month >= _TAX_SINCE:
        found.append(make_tax_line(sum(line.cents for line in found), month, end=end))
    return found


def make_tax_line(net_cents: int, month: date, *, end: datetime) -> Line:
    cents = half_up(net_cents * _TAX_PERCENT, 100)
    return Line(TAXES, f"GST Australia ({_TAX_PERCENT}.00%)", midnight(month), end, cents)
