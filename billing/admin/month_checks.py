"""The console's checks of a closed month: what wasn't billed, and how far list prices are off."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from arcadia_cloud.kernel.console.formatting import NOTHING, at_least
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.errors import NotFound
from billing.admin.formatting import format_dollars
from billing.admin.margin import month_asked
from billing.models import DailyCost
from billing.queries import compare_prices, list_closed_months, list_undercharges
from inventory.values import kind_label

_PAGE: Final = 50
_MOST_ROWS: Final = 1_000
_ZERO: Final = Decimal(0)


class MonthCheckPages(RecordAdmin[DailyCost]):
    """Adds the pages of undercharges and of the accuracy of list prices, each of a closed month."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        view = self.admin_site.admin_view
        return [
            path("undercharges/", view(self.undercharges_view), name="billing_undercharges"),
            path("accuracy/", view(self.accuracy_view), name="billing_accuracy"),
            *super().get_urls(),
        ]

    def undercharges_view(self, request: HttpRequest) -> HttpResponse:
        """List the resources that lived in the month without a line on its invoices, the dearest first."""
        context, month = self._begin(request, "Undercharges")
        if month is not None:
            try:
                found = list_undercharges(month, limit=_MOST_ROWS)
            except NotFound as error:
                context["not_billed"] = error.detail
            else:
                page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
                context |= {
                    "page": page,
                    "rows": [
                        (
                            row,
                            kind_label(row.kind),
                            NOTHING if row.expected is None else format_dollars(row.expected),
                        )
                        for row in page
                    ],
                    "is_cut": len(found) == _MOST_ROWS,
                    "total": format_dollars(sum((row.expected or _ZERO for row in found), _ZERO)),
                    "unpriced": sum(row.expected is None for row in found),
                }
        return TemplateResponse(request, "billing/undercharges.html", context)

    def accuracy_view(self, request: HttpRequest) -> HttpResponse:
        """Show how far the month's costs at list prices were from its invoices, by kind."""
        context, month = self._begin(request, "Price accuracy")
        if month is not None:
            try:
                found = compare_prices(month)
            except NotFound as error:
                context["not_billed"] = error.detail
            else:
                context["rows"] = [
                    (
                        row,
                        kind_label(row.kind),
                        format_dollars(row.billed),
                        NOTHING
                        if row.accrued is None
                        else at_least(format_dollars(row.accrued), row.unpriced),
                        NOTHING
                        if row.difference is None
                        else at_least(format_dollars(row.difference), row.unpriced),
                    )
                    for row in found
                ]
        return TemplateResponse(request, "billing/accuracy.html", context)

    def _begin(self, request: HttpRequest, title: str) -> tuple[dict[str, Any], date | None]:
        """Return what both pages show, and the month that is asked for, else the latest closed one.

        Raises PermissionDenied.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        closed = list_closed_months()
        month = month_asked(request).start if request.GET.get("period") else next(iter(closed), None)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "content_title": title,
            # One that the address names may be older than those that are offered, or not billed yet.
            "months": list(dict.fromkeys([*closed, *([month] if month else [])])),
            "month": month and f"{month:%Y-%m}",
            "month_name": month and f"{month:%B %Y}",
        }
        return context, month
