"""Months as stored by deployment: the quotes of their subscriptions, and their daily costs.

Stored, since a year of the whole book's quotes is no page's work. A month is replaced whole, with its costs
of the same instant. The running month and the last are computed each time; an older one when a day of its
costs was computed since; fourteen months at first. A usage that is corrected later than that isn't in it.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now, TruncMonth

from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from arcadia_cloud.kernel.sql import execute, load
from billing.models import CostDay, MarginCost, MarginMonth, MarginRevenue
from catalog.values.lines import LineType
from metering.queries import SubscriptionQuote, quote_fleet

_KEEP_COSTS: Final = load(__package__, "keep_margin_costs.sql")
_MONTHS: Final = 14
_BATCH: Final = 1_000

ReportProgress = Callable[[int, int], None]  # takes how many months are done, and of how many


def compute_margin_months(*, at: datetime, report: ReportProgress | None = None) -> int:
    """Store the revenue and costs of the months that are due at `at`, the newest first; return how many."""
    due = months_due(at)
    for done, month in enumerate(due, start=1):
        compute_margin_month(month)
        if report:
            report(done, len(due))
    return len(due)


# Readers see the month as it was or as it is, never half of it.
@transaction.atomic
def compute_margin_month(month: Period) -> None:
    """Replace what is stored of the month by its quotes and its daily costs. May be repeated."""
    header, _ = MarginMonth.objects.get_or_create(month=month.start)
    # Held: of two that compute one month at once, the second replaces what the first has committed.
    MarginMonth.objects.select_for_update().get(pk=header.pk)
    # Replaced whole: a subscription or an owner that has gone since leaves no row behind.
    MarginRevenue.objects.filter(month=month.start).delete()
    MarginCost.objects.filter(month=month.start).delete()
    MarginRevenue.objects.bulk_create(
        (_revenue_of(month, each) for each in quote_fleet(month)), batch_size=_BATCH
    )
    # After the revenue: the statement takes each deployment's plan version from there.
    execute(_KEEP_COSTS, {"month": month.start, "next_month": month.end})
    # The database's clock, as of the days of costs that it is compared with.
    MarginMonth.objects.filter(pk=header.pk).update(computed_at=Now(), costs_until=last_day_with_costs(month))


def last_day_with_costs(month: Period) -> date | None:
    """Return the month's last day whose costs are computed, None without one."""
    of_month = CostDay.objects.filter(day__gte=month.start, day__lt=month.end, computed_at__isnull=False)
    computed = of_month.aggregate(day=Max("day"))["day"]
    # A day that is due again still has the costs that were computed before.
    stored = MarginCost.objects.filter(month=month.start).aggregate(day=Max("last_day"))["day"]
    return max((day for day in (computed, stored) if day), default=None)


def months_due(at: datetime) -> list[Period]:
    """Return the months to compute at `at`, the newest first."""
    months = [month_of(at)]
    while len(months) < _MONTHS:
        months.append(previous_month(months[-1].start))
    since = months[-1].start
    known = dict(MarginMonth.objects.filter(month__gte=since).values_list("month", "computed_at"))
    by_month = CostDay.objects.filter(day__gte=since).annotate(month=TruncMonth("day")).values("month")
    costs_at = dict(by_month.annotate(last=Max("computed_at")).values_list("month", "last"))

    def is_due(month: date) -> bool:
        computed_at, last = known.get(month), costs_at.get(month)
        return computed_at is None or (last is not None and last > computed_at)

    # The first two whatever was computed: usage and owners of these are still found out.
    return [month for place, month in enumerate(months) if place <= 1 or is_due(month.start)]


def _revenue_of(month: Period, quoted: SubscriptionQuote) -> MarginRevenue:
    return MarginRevenue(
        month=month.start,
        subscription_id=quoted.subscription.pk,
        deployment_id=quoted.subscription.deployment_id,
        plan_version_id=quoted.plan_version.pk,
        currency=quoted.quote.currency,
        amount_cents=quoted.quote.subtotal.cents,
        # Quantities as text: JSON's numbers are floats to most readers. A tax is passed on, and no revenue.
        lines=[
            {
                "type": str(line.type),
                "code": line.code,
                "amount_cents": line.amount.cents,
                "used": None if line.used is None else f"{line.used:f}",
                "included": None if line.included is None else f"{line.included:f}",
            }
            for line in quoted.quote.lines
            if line.type != LineType.TAX
        ],
    )
