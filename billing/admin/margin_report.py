"""The cells of a month's margin, as its pages show them."""

from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from arcadia_cloud.kernel.console.formatting import at_least, at_most
from arcadia_cloud.kernel.money import Money, format_money
from billing.admin.margin_formatting import cents, describe_line, describe_revenues, percent, tone
from billing.models import MarginRevenue
from billing.queries import KnownFigures, MarginBy, MarginReport, MarginRow, limit_rows

_ROWS_SHOWN: Final = 500


def describe_report(report: MarginReport) -> dict[str, Any]:
    """Return what the page of a month shows; beyond 500 rows the others are one."""
    rows = limit_rows(report.rows, _ROWS_SHOWN)
    return {
        "report": report,
        "rows": [(row_address(report, row), _cells(row.name, report.known(row.figures))) for row in rows],
        "apart": [(name, cents(amount)) for name, amount in sorted(report.apart.items())],
        "total": _cells("total", report.known(report.total)),
        "csv": "?"
        + urlencode(
            {
                "period": f"{report.period.start:%Y-%m}",
                "by": report.by.value,
                "spread": report.spread.value,
                "format": "csv",
            }
        ),
    }


def _cells(name: str, figures: KnownFigures) -> dict[str, Any]:
    return {
        "name": name,
        "sold": describe_revenues(figures.revenues),
        "revenue": cents(figures.revenue),
        "cost": at_least(cents(figures.cost), figures.unpriced),
        "shared": cents(figures.shared),
        "margin": at_most(cents(figures.margin), figures.unpriced),
        "percent": at_most(percent(figures), figures.unpriced),
        "tone": tone(figures.margin),
    }


def row_address(report: MarginReport, row: MarginRow) -> str:
    """Return the page that a row leads to, "" where there is none."""
    if row.key is None:
        return ""
    if report.by == MarginBy.TENANT:
        return f"{reverse('admin:billing_tenant')}?{urlencode({'tenant': row.key})}"
    if report.by == MarginBy.PLAN:
        return reverse("admin:catalog_planversion_change", args=[row.key])
    page = reverse("admin:billing_margin_deployment", args=[row.key])
    return f"{page}?period={report.period.start:%Y-%m}"


def describe_revenue(revenue: MarginRevenue) -> dict[str, Any]:
    """Return a subscription's revenue with the lines of its quote."""
    return {
        "version": revenue.plan_version,
        "total": format_money(Money.from_cents(revenue.amount_cents, revenue.currency)),
        "lines": [
            (
                describe_line(line),
                line["used"] or "-",
                line["included"] or "-",
                format_money(Money.from_cents(line["amount_cents"], revenue.currency)),
            )
            for line in revenue.lines
        ],
    }
