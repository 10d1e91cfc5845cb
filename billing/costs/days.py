"""Costs by day, by source.

The sources: `billed`, invoices over their lines' hours; `reported`, the provider's own estimate of the day;
`accrued`, spans at list prices. The best that a day has is shown, in this order.

DigitalOcean bills droplets per second since 2026-01-01 (by the hour before): a size costs its monthly price
/ 672 for each hour that it exists, running or not, and never more than the monthly price in a calendar month.
So 671 hours of $24.00 are $23.96, 672 and 744 are $24.00. Source: DigitalOcean's pricing of droplets.

A day of a source is replaced whole. Which days are computed and which are due stands in `cost_days`: whatever
changes what a day costs (an ingest, a match, a price) makes it due in its own transaction, a late owner or
tombstone by `changes`, and the work takes what is due, the newest first. `billed` is computed by the month: a
month's lines share its adjustments. `reported` has the days alone that `reported` could read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Max, Q, QuerySet, Sum
from django.db.models.functions import Now

from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from arcadia_cloud.kernel.sql import execute, load
from billing.costs.breakdown import Dimension
from billing.costs.changes import make_changed_days_due
from billing.models import CostDay, CostLine, DailyCost, ProviderInvoice
from billing.values import CostSource
from inventory.values import PROVIDER

_ACCRUE: Final = load(__package__, "accrue_day.sql")
_BILL: Final = load(__package__, "bill_month.sql")
_MATCH_REPORTED: Final = load(__package__, "match_reported_items.sql")
_REPORT: Final = load(__package__, "report_day.sql")
_MONTHS_AT_FIRST: Final = 14

ReportProgress = Callable[[int, int], None]  # takes how many days are done, and of how many


@dataclass(frozen=True, slots=True)
class CostDaysResult:
    """The number of days that were computed, and of rows that they have now."""

    days: int
    rows: int


@dataclass(frozen=True, slots=True)
class DayCost:
    """A day's cost of one key, in dollars, by one source. `key` is None for what is unattributed."""

    day: date
    source: str
    part: str
    key: str | None
    amount: Decimal
    resources: int
    unpriced: int


def make_days_due(source: CostSource, days: Period) -> int:
    """Mark those of these days that are kept for computing them again; return how many.

    Called in the transaction of the change.
    """
    due = CostDay.objects.filter(source=source, day__gte=days.start, day__lt=days.end)
    with transaction.atomic():
        # In one order, so that two changes of a month never wait for each other in a ring.
        list(due.select_for_update().order_by("day").values_list("pk"))
        return due.update(computed_at=None)


def make_months_of_invoices_due(invoice_pks: Iterable[int]) -> None:
    """Have the months of these invoices computed again: their lines changed, or what these are about."""
    months = ProviderInvoice.objects.filter(pk__in=list(invoice_pks)).values_list("period", flat=True)
    for month in sorted(set(months)):
        make_days_due(CostSource.BILLED, month_of(month))


def plan_days(*, at: datetime) -> int:
    """Make the days due that are to be computed at `at`; return how many there are by now.

    All days of this month and the last are, and after a pause those from the month on before the newest day:
    a tombstone or an owner that was found out late changes what was computed before. Earlier days are due
    where such a change touches them. The first run adds fourteen months.
    """
    today = at.date()
    newest: date | None = CostDay.objects.filter(source=CostSource.ACCRUED).aggregate(day=Max("day"))["day"]
    if newest is None:
        planned = Period(first_backfilled_day(today), today)
    else:
        planned = Period(previous_month(min(newest, today)).start, today)
    CostDay.objects.bulk_create(
        (
            CostDay(day=day, source=source)
            for source in (CostSource.BILLED, CostSource.ACCRUED)
            for day in planned
        ),
        # Two may plan the same days; a day that is there keeps what is known of it.
        ignore_conflicts=True,
    )
    for source in CostSource:
        make_days_due(source, Period(min(planned.start, previous_month(today).start), today))
    make_changed_days_due()
    return CostDay.objects.filter(computed_at=None).count()


def first_backfilled_day(today: date) -> date:
    """Return the first day that the first run fills in: of the month fourteen months ago."""
    first = today
    for _ in range(_MONTHS_AT_FIRST):
        first = previous_month(first).start
    return first


def compute_due_days(*, report: ReportProgress | None = None) -> CostDaysResult:
    """Compute every day that is due, the newest first, each in a transaction of its own."""
    due = CostDay.objects.filter(computed_at=None)
    total, done, rows = due.count(), 0, 0
    for source, days in _units_of_work():
        with transaction.atomic():
            # Held while it is computed: what makes a day due meanwhile waits, and has it computed once more.
            held = CostDay.objects.select_for_update().filter(
                source=source, day__gte=days.start, day__lt=days.end
            )
            count = len(list(held.order_by("day")))
            DailyCost.objects.filter(source=source, day__gte=days.start, day__lt=days.end).delete()
            rows += _COMPUTE[CostSource(source)](days)
            held.update(computed_at=Now())
        done += count
        if report:
            report(min(done, total), total)
    return CostDaysResult(done, rows)


def accrue_day(day: date) -> int:
    """Store what a day's spans cost at list prices; return how many rows. None may be stored before."""
    month, bounds = month_of(day), _day_period(day)
    parameters = {
        "day": day,
        "day_start": bounds.starts_at,
        "day_end": bounds.ends_at,
        "month_start": month.starts_at,
        "month_end": month.ends_at,
    }
    return execute(_ACCRUE, parameters)


def report_day(day: date) -> int:
    """Sum a day's reported items by who owned their resources; return how many rows. None may be there yet.

    The items' resources are found anew: inventory may know more by now.
    """
    bounds = _day_period(day)
    parameters = {"day": day, "day_start": bounds.starts_at, "day_end": bounds.ends_at}
    execute(_MATCH_REPORTED, {**parameters, "provider": PROVIDER})
    return execute(_REPORT, parameters)


def _units_of_work() -> list[tuple[str, Period]]:
    """Return what is due: days of spans, months of invoices; the newest first."""
    due = CostDay.objects.filter(computed_at=None).values_list("source", "day")
    units = {
        (source, month_of(day) if source == CostSource.BILLED else _day_period(day)) for source, day in due
    }
    return sorted(units, key=lambda unit: unit[1].start, reverse=True)


def _bill_month(month: Period) -> int:
    """Spread the month's invoices over its days, once its last one is there: a preview bills nothing."""
    invoices = list(ProviderInvoice.objects.final().filter(period=month.start))
    if not any(invoice.is_issued_after_its_period for invoice in invoices):
        return 0
    total = sum((invoice.amount for invoice in invoices), Decimal(0))
    in_lines = CostLine.objects.filter(invoice__in=invoices).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    parameters = {
        "invoices": [invoice.pk for invoice in invoices],
        "month": month.start,
        "next_month": month.end,
        "adjustments": total - in_lines,
    }
    return execute(_BILL, parameters)


_COMPUTE: Final[Mapping[CostSource, Callable[[Period], int]]] = {
    CostSource.BILLED: _bill_month,
    CostSource.REPORTED: lambda day: report_day(day.start),
    CostSource.ACCRUED: lambda day: accrue_day(day.start),
}


def _day_period(day: date) -> Period:
    return Period(day, day + timedelta(days=1))


def _best_source_of(rows: QuerySet[DailyCost]) -> Q:
    """Return the condition of a row of the best source that its day has among these."""
    best, better = Q(), list[CostSource]()
    for source in CostSource:
        is_hidden = Q(day__in=rows.filter(source__in=better).order_by().values("day"))
        best |= Q(source=source) & ~is_hidden if better else Q(source=source)
        better.append(source)
    return best


def sum_days(*, days: Period, by: Dimension, source: CostSource | None = None) -> Iterator[DayCost]:
    """Yield the costs of these days by tenant, deployment or kind, oldest first. One query.

    Without a `source` each day has the best that it has: billed, else reported, else accrued.
    """
    column = {Dimension.TENANT: "tenant_id", Dimension.DEPLOYMENT: "deployment", Dimension.KIND: "kind"}[by]
    of_days = DailyCost.objects.filter(day__gte=days.start, day__lt=days.end)
    rows = of_days.filter(_best_source_of(of_days)) if source is None else of_days.filter(source=source)
    summed = rows.values("day", "source", "part", column).annotate(
        amount_sum=Sum("amount"), resource_count=Sum("resources"), unpriced_count=Sum("unpriced")
    )
    for row in summed.order_by("day", "source", "part", column):
        key = row[column]
        yield DayCost(
            row["day"],
            row["source"],
            row["part"],
            None if key is None else str(key),
            row["amount_sum"],
            row["resource_count"],
            row["unpriced_count"],
        )
