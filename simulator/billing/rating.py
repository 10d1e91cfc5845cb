"""What something costs in a month: by the hour, and never more than its monthly price."""

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
    """Something that costs so many cents a month, from its beginning to its end (None: it is still there)."""

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
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time_of_day(), UTC)


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number; a half away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded


def charge_month(billed: BillableResource, month: date, *, as_of: datetime) -> Line | None:
    """Its line in the month, as far as it has gone; None if it wasn't there, or not for an hour."""
    first, after = midnight(month), midnight(month_after(month))
    start, end = max(first, billed.started_at), min(after, billed.ended_at or after, as_of)
    hours = int((end - start).total_seconds()) // 3600
    if hours < 1:
        return None
    shown = end - _SECOND if end == after and billed.product not in _ENDS_WITH_THE_MONTH else end
    return Line(
        product=billed.product,
        description=billed.description,
        start=start,
        end=shown,
        cents=half_up(billed.monthly_cents * min(hours, FULL_MONTH_HOURS), FULL_MONTH_HOURS),
        hours=hours,
        group=billed.group,
        project=billed.project if month >= _PROJECTS_SINCE else "",
        category=billed.category,
        resource_id=billed.resource_id,
        resource_uuid=billed.resource_uuid,
    )


def add_discount_and_tax(lines: list[Line], month: date, *, as_of: datetime) -> list[Line]:
    """The lines, what is taken off in some months, and the GST of all of it."""
    found = [*lines]
    end = min(midnight(month_after(month)) - _SECOND, as_of)
    percent = _DISCOUNT_PERCENT.get(month, 0)
    if percent:
        off = -half_up(sum(line.cents for line in lines) * percent, 100)
        found.append(Line("Contract Discount", "Contract Discount IaaS", midnight(month), end, off))
    if month >= _TAX_SINCE:
        found.append(make_tax_line(sum(line.cents for line in found), month, end=end))
    return found


def make_tax_line(net_cents: int, month: date, *, end: datetime) -> Line:
    cents = half_up(net_cents * _TAX_PERCENT, 100)
    return Line(TAXES, f"GST Australia ({_TAX_PERCENT}.00%)", midnight(month), end, cents)
