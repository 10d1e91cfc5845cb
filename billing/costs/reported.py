"""The costs that the provider reports by day: its billing insights, kept item by item.

They are nightly estimates, which need not add up to an invoice. Where the token may not read them there is no
day of this source. A day is read once it is over, and for three days again: its estimate may still change.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderForbidden, ProviderNotFound
from arcadia_cloud.digitalocean.records import CostPointRecord
from arcadia_cloud.kernel.periods import Period, month_of
from billing.classification import kind_of_point, name_of
from billing.costs.days import first_backfilled_day
from billing.models import CostDay, DailyCost, ReportedItem
from billing.values import CostSource

log = structlog.get_logger(__name__)

_SETTLED_AFTER: Final = timedelta(days=3)
_MOST_POINTS: Final = 20_000  # held in memory at once, where a day alone hasn't more
_UNAUTHORIZED: Final = 401

ReportProgress = Callable[[int, int], None]  # takes how many days are done, and of how many


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """The number of days that were read, and of their items. `refusal`: why the token may not read them."""

    days: int
    items: int
    refusal: str = ""


def read_reported_days(
    *, cloud: DigitalOcean, at: datetime, report: ReportProgress | None = None
) -> ReportedResult:
    """Read the days before `at` that aren't known yet or may have changed, the newest first; make them due.

    The items of days more than fourteen months ago are dropped; what these days cost in all stays.
    A refusal (403, 404) is a result. Raises ProviderError for what else goes wrong; what was read stays.
    """
    first, today = first_backfilled_day(at.date()), at.date()
    known = set(CostDay.objects.filter(source=CostSource.REPORTED).values_list("day", flat=True))
    wanted = [day for day in Period(first, today) if day not in known or day >= today - _SETTLED_AFTER]
    ReportedItem.objects.filter(day__lt=first).delete()
    days = items = done = 0
    try:
        account = f"do:team:{cloud.account().team_uuid}"
        for window in _split_into_windows(wanted):
            for part, points in _read_window(cloud, account, window):
                stored = _store_points(part, points, settled_before=today - _SETTLED_AFTER)
                days, items, done = days + stored.days, items + stored.items, done + part.days
                if report:
                    report(min(done, len(wanted)), len(wanted))
    except (ProviderForbidden, ProviderNotFound) as refusal:
        if refusal.status == _UNAUTHORIZED:
            raise
        log.info("reported_costs_refused", reason=str(refusal))
        return ReportedResult(days, items, str(refusal))
    return ReportedResult(days, items)


def _split_into_windows(days: list[date]) -> list[Period]:
    """Return a period for the wanted days of each month, the newest first: an answer has 31 days."""
    by_month: dict[date, list[date]] = defaultdict(list)
    for day in days:
        by_month[month_of(day).start].append(day)
    return [
        Period(min(wanted), max(wanted) + timedelta(days=1))
        for _, wanted in sorted(by_month.items(), reverse=True)
    ]


def _read_window(
    cloud: DigitalOcean, account: str, window: Period
) -> Iterator[tuple[Period, list[CostPointRecord]]]:
    """Yield the window's points; in halves, the newer first, where it has more than may be held."""
    points: list[CostPointRecord] = []
    for page in cloud.cost_point_pages(account, first=window.start, last=window.end - timedelta(days=1)):
        if window.days > 1 and (page.total or 0) > _MOST_POINTS:
            middle = window.start + timedelta(days=window.days // 2)
            for half in (Period(middle, window.end), Period(window.start, middle)):
                yield from _read_window(cloud, account, half)
            return
        points += page.items
    yield window, points


def _store_points(window: Period, points: list[CostPointRecord], *, settled_before: date) -> ReportedResult:
    """Replace the days of a window by these points, and make them due; return how many there are.

    A day without any point is one that cost nothing once it is settled, and not reported before.
    """
    by_day: dict[date, list[CostPointRecord]] = {day: [] for day in window if day < settled_before}
    for point in points:
        if window.contains(point.start_date):
            by_day.setdefault(point.start_date, []).append(point)
    rows = [
        _make_item(day, number, point)
        for day, of_day in by_day.items()
        for number, point in enumerate(of_day, start=1)
    ]
    days = list(by_day)
    # A day's items are replaced whole.
    with transaction.atomic():
        CostDay.objects.bulk_create(
            (CostDay(day=day, source=CostSource.REPORTED) for day in days), ignore_conflicts=True
        )
        due = CostDay.objects.filter(source=CostSource.REPORTED, day__in=days)
        # Before the items, as a computation of the day does: it holds the row while it reads them.
        list(due.select_for_update().order_by("day").values_list("pk"))
        ReportedItem.objects.filter(day__in=days).delete()
        DailyCost.objects.filter(source=CostSource.REPORTED, day__in=days).delete()
        ReportedItem.objects.bulk_create(rows, batch_size=2_000)
        due.update(computed_at=None)
    return ReportedResult(len(days), len(rows))


def _make_item(day: date, number: int, point: CostPointRecord) -> ReportedItem:
    kind = kind_of_point(point.sku, point.group_description, point.description)
    return ReportedItem(
        day=day,
        number=number,
        kind=kind,
        name=name_of(kind, point.group_description, point.description),
        sku=point.sku,
        region=point.region,
        description=point.description,
        amount=point.total_amount,
    )
