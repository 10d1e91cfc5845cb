"""The margin of a tenant, a deployment or a plan version, month by month, and of one month line by line."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Sum

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from billing.costs.exchange_rates import ExchangeRates, MissingExchangeRate, valuation_day
from billing.models import MarginCost, MarginMonth, MarginRevenue
from inventory.values import PROVIDER_CURRENCY

MONTHS_SHOWN: Final = 12
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One month of something, in US dollars; None is what isn't known.

    `revenue` isn't where the month was never computed, or where the rate that `missing` names is missing;
    `cost` where no day of the month has computed costs. `unpriced` resources are in no cost: it is at least
    this. `is_stored`: something is stored of it. What isn't has no margin, and is no month at 0.
    """

    month: Period
    revenue: Decimal | None
    cost: Decimal | None
    missing: str = ""
    is_stored: bool = True
    unpriced: int = 0

    @property
    def margin(self) -> Decimal | None:
        """The rest of the revenue; None where either is unknown, or nothing is stored of the month."""
        if not self.is_stored or self.revenue is None or self.cost is None:
            return None
        return self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class CostOfKind:
    """A deployment's cost of a kind in a month, by one source, in US dollars."""

    kind: str
    source: str
    amount: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class MonthLines:
    """Both sides of a deployment's month, line by line.

    `revenues` has for each subscription its plan version, its sum, and the lines of its quote, as stored.
    """

    month: Period
    revenues: list[MarginRevenue]
    costs: list[CostOfKind]

    @property
    def cost(self) -> Decimal:
        """The sum of its costs, in US dollars."""
        return sum((row.amount for row in self.costs), _ZERO)


def last_months(at: datetime, number: int = MONTHS_SHOWN) -> list[Period]:
    """Return so many months up to and with the running one, oldest first."""
    months = [month_of(at)]
    while len(months) < number:
        months.append(previous_month(months[-1].start))
    return months[::-1]


def list_months_of_tenant(tenant_id: str, *, at: datetime) -> list[MonthFigures]:
    """Return a tenant's last twelve months, the running one to date. Four queries."""
    found = _months_by({"deployment__tenant_id": tenant_id}, {"tenant_id": tenant_id}, None, at)
    return found[None]


def list_months_of_deployment(
    deployment_pk: int, *, at: datetime, number: int = MONTHS_SHOWN
) -> list[MonthFigures]:
    """Return a deployment's last months, the running one to date. Four queries."""
    of_it = {"deployment": deployment_pk}
    return _months_by(of_it, of_it, None, at, number)[None]


def list_months_by_plan(*, at: datetime) -> dict[str, list[MonthFigures]]:
    """Return the last twelve months of every plan that earned in them, by its code. Four queries."""
    has_plan = {"plan_version__isnull": False}
    found = _months_by(has_plan, has_plan, "plan_version__plan__code", at)
    return {str(plan): months for plan, months in sorted(found.items(), key=str)}


def list_month_by_plan(*, at: datetime) -> dict[str | None, MonthFigures]:
    """Return the running month to date by plan; None is what belongs to no plan. Four queries."""
    found = _months_by({}, {}, "plan_version__plan__code", at, number=1)
    return {
        plan: months[0] for plan, months in sorted(found.items(), key=lambda each: (each[0] is None, each))
    }


def read_month_lines(deployment_pk: int, month: Period) -> MonthLines:
    """Return what a deployment's month is made of, on both sides. Two queries."""
    revenues = MarginRevenue.objects.filter(deployment=deployment_pk, month=month.start)
    costs = MarginCost.objects.filter(deployment=deployment_pk, month=month.start)
    return MonthLines(
        month,
        list(revenues.select_related("plan_version__plan").order_by("subscription_id")),
        [
            CostOfKind(row.kind, row.source, row.amount, row.unpriced)
            for row in costs.order_by("-amount", "kind", "source")
        ],
    )


def _months_by(
    of_revenue: dict[str, Any],
    of_cost: dict[str, Any],
    column: str | None,
    at: datetime,
    number: int = MONTHS_SHOWN,
) -> dict[str | None, list[MonthFigures]]:
    """Sum what is stored of the months by a column of the plan version; without one as one."""
    months = last_months(at, number)
    keys = ["month"] if column is None else ["month", column]
    within = {"month__gte": months[0].start, "month__lte": months[-1].start}
    revenues = MarginRevenue.objects.filter(**within, **of_revenue).values(*keys, "currency")
    costs = MarginCost.objects.filter(**within, **of_cost).values(*keys)

    earned: dict[tuple[str | None, date], list[Money]] = {}
    for row in revenues.order_by().annotate(sum=Sum("amount_cents")):
        key = (row[column] if column else None, row["month"])
        earned.setdefault(key, []).append(Money.from_cents(int(row["sum"]), row["currency"]))
    spent: dict[tuple[str | None, date], tuple[Decimal, int]] = {
        (row[column] if column else None, row["month"]): (row["sum"], row["unknown"])
        for row in costs.order_by().annotate(sum=Sum("amount"), unknown=Sum("unpriced"))
    }
    computed = MarginMonth.objects.filter(**within, computed_at__isnull=False)
    costs_until = dict(computed.values_list("month", "costs_until"))
    # All that any of the months may need, in one query.
    rates = ExchangeRates.load(Period(months[0].start, months[-1].end))
    # Without a column there is one key, and it has months even where nothing is stored.
    found = {key for key, _ in (*earned, *spent)} | ({None} if column is None else set())

    def figures_of(key: str | None, month: Period) -> MonthFigures:
        revenue, missing = _ZERO, ""
        is_unknown = month.start not in costs_until
        nothing = None if costs_until.get(month.start) is None else _ZERO
        cost, unpriced = spent.get((key, month.start), (nothing, 0))
        day = valuation_day(month, at=at)
        # A month without a rate is a gap in the chart: the other eleven are still worth showing.
        try:
            for money in earned.get((key, month.start), ()):
                revenue += rates.convert(money, PROVIDER_CURRENCY, day).amount
        except MissingExchangeRate as error:
            missing = error.detail
        is_stored = (key, month.start) in earned or (key, month.start) in spent
        shown = None if missing or is_unknown else revenue
        return MonthFigures(month, shown, cost, missing, is_stored, unpriced)

    return {key: [figures_of(key, month) for month in months] for key in found}
