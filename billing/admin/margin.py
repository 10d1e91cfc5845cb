"""The console's pages of the margin: a month by deployment, tenant or plan, and one deployment's lines."""

import csv
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arcadia_cloud.kernel.api.downloads import safe_cell
from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.money import Money, exact_text, format_money
from arcadia_cloud.kernel.periods import Period, month_of, parse_month
from billing.admin.margin_formatting import (
    cents,
    chart_both_sides,
    chart_plans,
    describe_line,
    describe_revenues,
    percent,
    tone,
)
from billing.models import DailyCost, MarginRevenue
from billing.queries import (
    Figures,
    MarginBy,
    MarginReport,
    MarginRow,
    MissingExchangeRate,
    SpreadRule,
    last_months,
    limit_rows,
    list_months_by_plan,
    list_months_of_deployment,
    read_month_lines,
    report_margin,
)
from deployments.models import Deployment

_ROWS_SHOWN: Final = 500
_MONTHS_OFFERED: Final = 24
_SPREADS: Final = (
    (SpreadRule.NONE, "apart"),
    (SpreadRule.DIRECT_COST, "by direct cost"),
    (SpreadRule.EVENLY, "evenly"),
)
_COLUMNS: Final = ("name", "revenue_usd", "cost_usd", "shared_usd", "margin_usd", "percent", "revenue")


class MarginPages(RecordAdmin[DailyCost]):
    """Adds the pages of the margin."""

    def get_urls(self) -> list[URLPattern]:
        """Add the report of a month, and the page of a deployment's month."""
        view = self.admin_site.admin_view
        return [
            path("margin/", view(self.margin_view), name="billing_margin"),
            path(
                "margin/deployment/<int:pk>/", view(self.margin_lines_view), name="billing_margin_deployment"
            ),
            *super().get_urls(),
        ]

    def margin_view(self, request: HttpRequest) -> HttpResponse:
        """Show a month's margin, or return it as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        at = timezone.now()
        month = month_asked(request)
        by = _chosen(MarginBy, request.GET.get("by", MarginBy.DEPLOYMENT))
        spread = _chosen(SpreadRule, request.GET.get("spread", SpreadRule.NONE))
        context: dict[str, Any] = {
            "month": f"{month.start:%Y-%m}",
            "month_name": f"{month.start:%B %Y}",
            "months": [f"{each.start:%Y-%m}" for each in reversed(last_months(at, _MONTHS_OFFERED))],
            "by": by,
            "bys": [(each.value, str(each.value)) for each in MarginBy],
            "spread": spread,
            "spreads": [(rule.value, words) for rule, words in _SPREADS],
            "chart": chart_plans(list_months_by_plan(at=at)),
            "chart_options": chart_options(maxTicksLimit=12),
        }
        try:
            report = report_margin(month=month, by=by, spread=spread, at=at)
        except MissingExchangeRate as missing:
            context["missing"] = missing.detail
        else:
            if request.GET.get("format") == "csv":
                return _as_csv(report)
            context |= _describe_report(report)
        return self.render_page(request, "billing/margin.html", "Margin", context)

    def margin_lines_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the lines behind both sides of a deployment's month."""
        deployment = Deployment.objects.filter(pk=pk).first()
        if not self.has_view_permission(request):
            raise PermissionDenied
        if deployment is None:
            raise Http404
        at = timezone.now()
        month = month_asked(request)
        lines = read_month_lines(pk, month)
        context = {
            "deployment": deployment,
            "month": f"{month.start:%Y-%m}",
            "month_name": f"{month.start:%B %Y}",
            "is_to_date": month == month_of(at),
            "revenues": [_describe_revenue(each) for each in lines.revenues],
            "costs": [(row.kind, row.source, cents(row.amount), row.unpriced) for row in lines.costs],
            "cost": cents(lines.cost),
            "chart": chart_both_sides(list_months_of_deployment(pk, at=at)),
            "chart_options": chart_options(maxTicksLimit=12),
        }
        return self.render_page(request, "billing/margin_lines.html", f"Margin of {deployment}", context)

    def render_page(
        self, request: HttpRequest, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        """Return a page of the console that isn't a row's."""
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, template, shown)


def month_asked(request: HttpRequest) -> Period:
    """Return the month that the address names, else the running one. Raises Http404 for what is none."""
    asked = request.GET.get("period")
    if not asked:
        return month_of(timezone.now())
    try:
        return parse_month(asked)
    except ValueError as error:
        raise Http404 from error


def _chosen(choices: Any, asked: str) -> Any:  # an enum of choices, and its member
    try:
        return choices(asked)
    except ValueError as error:
        raise Http404 from error


def _describe_report(report: MarginReport) -> dict[str, Any]:
    rows = limit_rows(report.rows, _ROWS_SHOWN)
    return {
        "report": report,
        "rows": [(_address(report, row), _cells(row.name, row.figures)) for row in rows],
        "apart": [(name, cents(amount)) for name, amount in sorted(report.apart.items())],
        "total": _cells("total", report.total),
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


def _cells(name: str, figures: Figures) -> dict[str, Any]:
    return {
        "name": name,
        "sold": describe_revenues(figures.revenues),
        "revenue": cents(figures.revenue),
        "cost": ("at least " if figures.unpriced else "") + cents(figures.cost),
        "shared": cents(figures.shared),
        "margin": cents(figures.margin),
        "percent": percent(figures),
        "tone": tone(figures.margin),
    }


def _address(report: MarginReport, row: MarginRow) -> str:
    """Return the page that a row leads to, "" where there is none."""
    if row.key is None:
        return ""
    if report.by == MarginBy.TENANT:
        return f"{reverse('admin:billing_tenant')}?{urlencode({'tenant': row.key})}"
    if report.by == MarginBy.PLAN:
        return reverse("admin:catalog_planversion_change", args=[row.key])
    page = reverse("admin:billing_margin_deployment", args=[row.key])
    return f"{page}?period={report.period.start:%Y-%m}"


def _describe_revenue(revenue: MarginRevenue) -> dict[str, Any]:
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


def _as_csv(report: MarginReport) -> HttpResponse:
    """Return the whole report, exact: every row, what stands apart, and the total."""
    month = f"{report.period.start:%Y-%m}"
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="margin-{month}-by-{report.by}.csv"',
            "Cache-Control": "no-store",
        },
    )
    writer = csv.writer(answer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(_COLUMNS)
    apart = [(name, Figures(shared=amount)) for name, amount in sorted(report.apart.items())]
    rows = [(row.name, row.figures) for row in report.rows]
    for name, figures in (*rows, *apart, ("total", report.total)):
        amounts = (figures.revenue, figures.cost, figures.shared, figures.margin)
        writer.writerow(
            [
                safe_cell(name),
                # Written as numbers, not through `safe_cell`: a loss begins with a minus.
                *(exact_text(amount) for amount in amounts),
                "" if figures.percent is None else str(figures.percent),
                " ".join(f"{money.currency} {exact_text(money.amount)}" for money in figures.revenues),
            ]
        )
    return answer
