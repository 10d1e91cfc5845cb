"""Reads of the console's home page: what waits for finance, and the costs of the last two months by day."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db.models import Count, Max, Min, Sum

from arcadia_cloud.kernel.periods import Period
from billing.models import CostDay, DailyCost, ProviderInvoice
from billing.states import PushStatus
from billing.values import CostSource

_REASONS: Final = 20


@dataclass(frozen=True, slots=True)
class UnpushedInvoices:
    """Invoices that finance hasn't got, for one reason. `first_pk` is one of them."""

    reason: str
    status: str
    count: int
    first_pk: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A day's cost in all, in US dollars, by the best source that it has. `unpriced` are in no cost."""

    day: date
    source: str
    amount: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class _TotalsOfDays:
    """The totals of the days last asked for, and the state of the days that they were summed from."""

    state: tuple[Period, datetime, int]
    totals: list[DayTotal]


_kept: list[_TotalsOfDays] = []


def list_unpushed() -> list[UnpushedInvoices]:
    """Return the invoices whose push has failed and will be repeated, by the reason. One query.

    One that was never tried is on its way, and one that is refused has an alert.
    """
    waiting = ProviderInvoice.objects.pushable().filter(push_status=PushStatus.WAITING).exclude(push_error="")
    rows = waiting.values("push_error").annotate(count=Count("pk"), first_pk=Min("pk"))
    return [
        UnpushedInvoices(row["push_error"], PushStatus.WAITING, row["count"], row["first_pk"])
        for row in rows.order_by("-count", "push_error")[:_REASONS]
    ]


def list_day_totals(days: Period) -> list[DayTotal]:
    """Return what each of these days cost, oldest first; a day without costs is left out.

    One query, and one more when a day was computed since the last call: a month may have millions of rows.
    """
    computed = CostDay.objects.filter(day__gte=days.start, day__lt=days.end)
    state = computed.aggregate(newest=Max("computed_at"), count=Count("computed_at"))
    if state["newest"] is None:
        return []
    key = (days, state["newest"], state["count"])
    # One assignment, so that of two threads each has whole totals, its own or the other's.
    if not _kept or _kept[0].state != key:
        _kept[:] = [_TotalsOfDays(key, sum_best_days(days))]
    return _kept[0].totals


def sum_best_days(days: Period) -> list[DayTotal]:
    """Sum the days by the best source that each has. One query."""
    rows = DailyCost.objects.filter(day__gte=days.start, day__lt=days.end).values("day", "source")
    best: dict[date, DayTotal] = {}
    order = list(CostSource)
    for row in rows.order_by().annotate(total=Sum("amount"), unknown=Sum("unpriced")):
        found = DayTotal(row["day"], row["source"], row["total"], row["unknown"])
        known = best.get(found.day)
        if known is None or order.index(CostSource(found.source)) < order.index(CostSource(known.source)):
            best[found.day] = found
    return [best[day] for day in sorted(best)]
