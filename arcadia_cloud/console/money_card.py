"""The home page's money: the month to date against the last one's curve, cost against revenue per plan."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.formatting import NOTHING, at_least, at_most
from arcadia_cloud.kernel.money import Money, format_money
from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from billing.queries import DayTotal, MonthFigures, list_day_totals, list_month_by_plan
from inventory.values import PROVIDER_CURRENCY

CHART_OPTIONS: Final = chart_options(maxTicksLimit=8)
_THIS_MONTH: Final = "#2563eb"
_LAST_MONTH: Final = "#9ca3af"
_PLANS_SHOWN: Final = 8
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """Revenue and cost of a plan in the running month so far, as text; a dash where one isn't known."""

    name: str
    revenue: str
    cost: str
    margin: str
    tone: str


@dataclass(frozen=True, slots=True)
class MoneyCard:
    """The running month's costs and revenue. `chart` is Chart.js's, as JSON; empty where no cost is known."""

    cost: str
    caption: str
    chart: str
    chart_options: str
    plans: list[PlanRow]
    missing_rate: str
    costs_href: str
    margin_href: str

    @property
    def has_costs(self) -> bool:
        return bool(self.chart)


def build_money_card(*, at: datetime) -> MoneyCard:
    """Read the card's figures: six queries, whatever there is."""
    month, before = month_of(at), previous_month(at)
    totals = list_day_totals(Period(before.start, at.astimezone(UTC).date()))
    this_month = [total for total in totals if total.day >= month.start]
    plans = list_month_by_plan(at=at)
    return MoneyCard(
        cost=format_cost(this_month),
        caption=describe_costs(this_month, totals, before),
        chart=chart_costs(totals, month, before) if totals else "",
        chart_options=CHART_OPTIONS,
        plans=plan_rows(plans),
        missing_rate=next((figures.missing for figures in plans.values() if figures.missing), ""),
        costs_href=reverse("admin:billing_dailycost_changelist"),
        margin_href=f"{reverse('admin:billing_margin')}?{urlencode({'by': 'plan'})}",
    )


def count_unpriced(days: Sequence[DayTotal]) -> int:
    """Return how many resources had no price on the newest day: summed up, each would count once a day."""
    return days[-1].unpriced if days else 0


def format_cost(days: Sequence[DayTotal]) -> str:
    """Return what the days cost, as a least sum where some resources have no price."""
    if not days:
        return NOTHING
    # A sum that lacks prices isn't what the month has cost.
    return at_least(_dollars(sum((day.amount for day in days), _ZERO)), sum(day.unpriced for day in days))


def describe_costs(days: Sequence[DayTotal], totals: Sequence[DayTotal], before: Period) -> str:
    """Return what stands beside the sum: its last day, what has no price, the month before."""
    words = [f"up to {days[-1].day:%-d %b}"] if days else []
    if unpriced := count_unpriced(days):
        words.append(f"{unpriced:,} resource{'' if unpriced == 1 else 's'} without a price")
    last_day = days[-1].day.day if days else 0
    then = [total for total in totals if before.contains(total.day) and total.day.day <= last_day]
    if then:
        words.append(f"{before.start:%B} by then: {format_cost(then)}")
    return "; ".join(words)


def chart_costs(totals: Sequence[DayTotal], month: Period, before: Period) -> str:
    """Return both months' costs, added up day by day, as the data of a Chart.js line chart, in JSON."""
    amounts = {total.day: total.amount for total in totals}
    last = totals[-1].day
    datasets = [
        {
            "label": f"{period.start:%B}",
            "data": running_sums(amounts, period, last),
            "borderColor": colour,
            "backgroundColor": colour,
            "borderWidth": 2,
            "pointRadius": 2 if period == month and last.day == 1 else 0,  # one day makes no line
        }
        for period, colour in ((month, _THIS_MONTH), (before, _LAST_MONTH))
    ]
    return json.dumps({"labels": list(range(1, max(month.days, before.days) + 1)), "datasets": datasets})


def running_sums(amounts: Mapping[date, Decimal], period: Period, last: date) -> list[float | None]:
    """Return a month's sum up to each of its days; None before its first cost and after the last day."""
    found: list[float | None] = []
    running, has_begun = _ZERO, False
    for day in period:
        has_begun = has_begun or day in amounts
        running += amounts.get(day, _ZERO)
        found.append(float(running) if has_begun and day <= last else None)  # pixels, not money
    return found


def plan_rows(plans: Mapping[str | None, MonthFigures]) -> list[PlanRow]:
    """Return the plans that cost the most, and what belongs to none."""
    named = sorted(
        ((plan, figures) for plan, figures in plans.items() if plan is not None),
        key=lambda row: (-(row[1].cost or _ZERO), row[0]),
    )
    rows = [_plan_row(plan, figures) for plan, figures in named[:_PLANS_SHOWN]]
    if len(named) > _PLANS_SHOWN:
        rest = [figures for _, figures in named[_PLANS_SHOWN:]]
        rows.append(_plan_row(f"{len(rest)} others", add_up_months(rest)))
    apart = plans.get(None)
    if apart is not None and (apart.cost or apart.revenue):
        rows.append(_plan_row("without a plan", apart))
    return rows


def add_up_months(rows: Sequence[MonthFigures]) -> MonthFigures:
    """Sum up several plans; the revenue or the cost is unknown where one is."""
    revenue = add_up_known([row.revenue for row in rows])
    cost, unpriced = add_up_known([row.cost for row in rows]), sum(row.unpriced for row in rows)
    return MonthFigures(rows[0].month, revenue, cost, unpriced=unpriced)


def add_up_known(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Return the sum of the amounts, None where one of them is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, _ZERO) if len(known) == len(amounts) else None


def _plan_row(name: str, figures: MonthFigures) -> PlanRow:
    margin = figures.margin
    return PlanRow(
        name=name,
        revenue=_dollars(figures.revenue),
        cost=at_least(_dollars(figures.cost), figures.unpriced),
        margin=at_most(_dollars(margin), figures.unpriced),
        tone="bad" if margin is not None and margin < 0 else "",
    )


def _dollars(amount: Decimal | None) -> str:
    return format_money(None if amount is None else Money(amount, PROVIDER_CURRENCY))
