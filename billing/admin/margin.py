"""The console's pages of the margin: a month by deployment, tenant or plan, and one deployment's lines."""

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.formatting import at_least
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.periods import Period, month_of, parse_month
from arcadia_cloud.kernel.queue.schedule.next_run import describe_next_run, next_runs
from billing.admin.margin_csv import render_csv
from billing.admin.margin_formatting import (
    cents,
    chart_both_sides,
    chart_plans,
)
from billing.admin.margin_report import describe_report, describe_revenue
from billing.models import DailyCost
from billing.queries import (
    MarginBy,
    MissingExchangeRate,
    SpreadRule,
    last_months,
    list_months_by_plan,
    list_months_of_deployment,
    read_month_lines,
    report_margin,
)
from billing.services import COSTS_TASK
from billing.values import CostSource
from deployments.models import Deployment
from inventory.values import kind_label

_MONTHS_OFFERED: Final = 24
_SPREADS: Final = (
    (SpreadRule.NONE, "apart"),
    (SpreadRule.DIRECT_COST, "by direct cost"),
    (SpreadRule.EVENLY, "evenly"),
)


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
        by = read_choice(MarginBy, request.GET.get("by", MarginBy.DEPLOYMENT))
        spread = read_choice(SpreadRule, request.GET.get("spread", SpreadRule.NONE))
        context: dict[str, Any] = {
            "month": f"{month.start:%Y-%m}",
            "month_name": f"{month.start:%B %Y}",
            "months": [each.start for each in reversed(last_months(at, _MONTHS_OFFERED))],
            "by": by,
            "bys": [(each.value, str(each.value)) for each in MarginBy],
            "spread": spread,
            "spreads": [(rule.value, words) for rule, words in _SPREADS],
            "chart": chart_plans(list_months_by_plan(at=at)),
            "chart_options": chart_options(maxTicksLimit=12),
            "next_run": describe_next_run(next_runs([COSTS_TASK], at=at), COSTS_TASK, at=at),
        }
        try:
            report = report_margin(month=month, by=by, spread=spread, at=at)
        # The form stays usable: another month may have its rate.
        except MissingExchangeRate as missing:
            context["missing"] = missing.detail
        else:
            if request.GET.get("format") == "csv":
                return render_csv(report)
            context |= describe_report(report)
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
            "revenues": [describe_revenue(each) for each in lines.revenues],
            "costs": [
                (kind_label(row.kind), CostSource(row.source).label, cents(row.amount), row.unpriced)
                for row in lines.costs
            ],
            "cost": at_least(cents(lines.cost), sum(row.unpriced for row in lines.costs)),
            "chart": chart_both_sides(list_months_of_deployment(pk, at=at)),
            "chart_options": chart_options(maxTicksLimit=12),
        }
        return self.render_page(request, "billing/margin_lines.html", f"Margin of {deployment}", context)

    def render_page(
        self, request: HttpRequest, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        """Return a page of the console that isn't a row's."""
        # Without `opts`, whose list the head would name in place of the page.
        shown = {**self.admin_site.each_context(request), "title": title, "content_title": title, **context}
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


def read_choice(choices: Any, asked: str) -> Any:  # an enum of choices, and its member
    """Return the choice that the address names. Raises Http404 for what is none."""
    try:
        return choices(asked)
    except ValueError as error:
        raise Http404 from error
