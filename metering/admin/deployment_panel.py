"""A deployment's usage against its plan's allowances and its running quote, as cards of its page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.money import format_money
from arcadia_cloud.kernel.periods import Period, month_of
from catalog.values.kinds import BillingKind
from catalog.values.lines import QuoteLine
from deployments.deployment_panels import panel
from deployments.errors import NotSubscribed
from deployments.models import Deployment
from metering.queries import MonthQuote, quote_month, running_days

_COLOURS: Final = ("#2563eb", "#f59e0b", "#059669", "#db2777", "#7c3aed", "#0891b2", "#65a30d", "#dc2626")
_LIMIT_COLOUR: Final = "#6b7280"
_LABELS: Final = dict(BillingKind.choices)


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind's line of the card: so far, what is included, and the forecast."""

    label: str
    used: str
    included: str
    expected: str
    is_over: bool


@panel
def draw_usage(request: HttpRequest, deployment: Deployment) -> SafeString:
    """Show the running month; nothing to whom may not see usage. A fixed number of queries."""
    if not request.user.has_perm("metering.view_usagerecord"):
        return SafeString("")
    now = timezone.now()
    try:
        found = quote_month(deployment.pk, month_of(now), at=now)
    except NotSubscribed:
        found = None
    records = f"{reverse('admin:metering_usagerecord_changelist')}?deployment_id={deployment.pk}"
    context: dict[str, Any] = {"records": records, "month": f"{now:%B %Y}"}
    if found is not None:
        context |= _describe_quote(found, now)
    return render_to_string("metering/deployment_panel.html", context)


def _describe_quote(found: MonthQuote, now: datetime) -> dict[str, Any]:
    lines = [line for line in found.quote.lines if line.used is not None]
    expected = {} if found.forecast is None else {line.code: line for line in found.forecast.lines}
    return {
        "kinds": [
            KindRow(
                label=_LABELS.get(line.code, line.code),
                used=_text(line.used),
                included=_text(line.included),
                expected=_text(expected[line.code].used if line.code in expected else None),
                is_over=bool(line.overage or (line.code in expected and expected[line.code].overage)),
            )
            for line in lines
            # Neither used nor included: nothing to compare.
            if line.used or line.included
        ],
        "quote": found.quote,
        "total": format_money(found.quote.total),
        "forecast": None if found.forecast is None else format_money(found.forecast.total),
        "lines": [
            (
                _LABELS.get(line.code, f"{line.type.label}: {line.code}"),
                format_money(line.amount),
                [str(step) for step in (*line.basis, *line.charges)],
            )
            for line in found.quote.lines
            if line.amount.amount or line.used
        ],
        "chart": _chart_data(found, lines, running_days(now)),
        "chart_options": chart_options(maxTicksLimit=8),
    }


def _chart_data(found: MonthQuote, lines: Sequence[QuoteLine], days: Period) -> str:
    """Return what of each allowance was used by each day, in per cent, as the data of a Chart.js chart."""
    priced = [line for line in lines if line.included and line.used]
    if not priced:
        return ""
    datasets = [
        _curve(_LABELS.get(line.code, line.code), _shares(found, line, days), _COLOURS[place % len(_COLOURS)])
        for place, line in enumerate(priced)
    ]
    month = found.quote.period
    limit = {**_curve("The allowance", [100.0] * month.days, _LIMIT_COLOUR), "borderDash": [6, 4]}
    return json.dumps({"labels": [f"{day:%d %b}" for day in month], "datasets": [*datasets, limit]})


def _shares(found: MonthQuote, line: QuoteLine, days: Period) -> list[float]:
    included, used, shares = line.included or Decimal(1), Decimal(0), []
    for day in days:
        used += found.usage.get(day, {}).get(line.code, Decimal(0))
        shares.append(float(round(100 * used / included, 2)))  # pixels, not quantities
    return shares


def _curve(label: str, data: list[float], colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": data,
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2,
        "pointRadius": 3 if len(data) == 1 else 0,
    }


def _text(quantity: Decimal | None) -> str:
    return "-" if quantity is None else f"{round(quantity, 2).normalize():,f}"
