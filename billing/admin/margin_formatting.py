"""The formatting of margins for an operator: amounts, signs, and charts of months."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from arcadia_cloud.kernel.console.formatting import NOTHING
from arcadia_cloud.kernel.money import Money, format_money
from billing.queries import KnownFigures, MonthFigures
from catalog.values.kinds import BillingKind
from catalog.values.lines import LineType
from inventory.values import PROVIDER_CURRENCY

_COLOURS: Final = ("#2563eb", "#f59e0b", "#059669", "#db2777", "#7c3aed", "#0891b2", "#65a30d", "#dc2626")
_COST, _REVENUE = "#dc2626", "#059669"


def cents(amount: Decimal | None) -> str:
    """Return US dollars, rounded to the cent; a dash where the amount is unknown."""
    return format_money(None if amount is None else Money(amount, PROVIDER_CURRENCY))


def percent(figures: KnownFigures) -> str:
    """Return the margin in per cent of the revenue."""
    return NOTHING if figures.percent is None else f"{figures.percent} %"


def tone(amount: Decimal | None) -> str:
    """Return the class of an amount that is red below zero; an unknown one has none."""
    return "console-bad" if amount is not None and amount < 0 else ""


def describe_revenues(revenues: Sequence[Money]) -> str:
    """Return the revenue as it is sold, in its currencies."""
    return ", ".join(format_money(money) for money in revenues) or NOTHING


def describe_line(line: Mapping[str, Any]) -> str:
    """Return the name of a stored line of a quote."""
    kinds = dict(BillingKind.choices)
    code = line["code"]
    return str(kinds[code]) if code in kinds else f"{LineType(line['type']).label}: {code}"


def chart_both_sides(months: Sequence[MonthFigures]) -> str:
    """Return cost and revenue by month as the data of a Chart.js chart; "" where nothing is stored of any.

    A month without a rate, or without anything stored, is a gap: a line at 0 would be a figure.
    """
    # A chart without a line would be an empty box.
    if not any(each.is_stored for each in months):
        return ""
    datasets = [
        _dataset("Cost", [_pixels(each.cost if each.is_stored else None) for each in months], _COST),
        _dataset("Revenue", [_pixels(each.revenue if each.is_stored else None) for each in months], _REVENUE),
    ]
    return _chart(months, datasets)


def chart_plans(plans: Mapping[str, Sequence[MonthFigures]]) -> str:
    """Return each plan's margin by month as the data of a Chart.js chart; "" where none is known."""
    if all(each.margin is None for months in plans.values() for each in months):
        return ""
    datasets = [
        _dataset(
            plan,
            [_pixels(each.margin) for each in months],
            _COLOURS[place % len(_COLOURS)],
        )
        for place, (plan, months) in enumerate(plans.items())
    ]
    return _chart(next(iter(plans.values())), datasets)


def _chart(months: Sequence[MonthFigures], datasets: list[dict[str, Any]]) -> str:
    return json.dumps({"labels": [f"{each.month.start:%b %Y}" for each in months], "datasets": datasets})


def _dataset(label: str, data: list[float | None], colour: str) -> dict[str, Any]:
    looks = {"borderColor": colour, "backgroundColor": colour, "borderWidth": 2, "pointRadius": 3}
    return {"label": label, "data": data, **looks}


def _pixels(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 2))
