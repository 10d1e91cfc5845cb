"""The console's page of the balance, hour by hour, as a chart and a list."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from billing.admin.formatting import CHART_OPTIONS, chart_data, format_dollars
from billing.models import BalanceSnapshot
from billing.queries import balances_since

_DAYS_SHOWN: Final = 30


@admin.register(BalanceSnapshot)
class BalanceSnapshotAdmin(RecordAdmin[BalanceSnapshot]):
    """The balance of each hour, newest first, over a chart of the last thirty days."""

    list_before_template = "billing/balance_chart.html"
    list_display = ("hour", "total", "earlier_months", "this_month", "generated_at")
    fields = ("hour", "total", "earlier_months", "this_month", "generated_at", "captured_at")
    readonly_fields = ("total", "earlier_months", "this_month")
    ordering = ("-hour",)
    sortable_by = ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the chart."""
        snapshots = list(balances_since(timezone.now(), _DAYS_SHOWN))
        chart = {"chart": chart_data(snapshots), "chart_options": CHART_OPTIONS} if snapshots else {}
        return super().changelist_view(request, {**(extra_context or {}), **chart})

    @display(description="owed in all")
    def total(self, snapshot: BalanceSnapshot) -> str:
        return format_dollars(snapshot.month_to_date_balance)

    @display(description="of earlier months")
    def earlier_months(self, snapshot: BalanceSnapshot) -> str:
        return format_dollars(snapshot.account_balance)

    @display(description="this month so far")
    def this_month(self, snapshot: BalanceSnapshot) -> str:
        return format_dollars(snapshot.month_to_date_usage)
