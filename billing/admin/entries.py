"""The console's list of what moved money besides invoices."""

from django.contrib import admin

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from billing.admin.formatting import money
from billing.models import BillingEntry


@admin.register(BillingEntry)
class BillingEntryAdmin(RecordAdmin[BillingEntry]):
    """Payments, credits, refunds and their like, newest first."""

    list_display = ("date", "type", "description", "how_much", "invoice_uuid")
    fields = ("date", "type", "description", "how_much", "invoice_uuid", "number", "provider")
    readonly_fields = ("how_much",)
    ordering = ("-date", "-pk")
    sortable_by = ()

    @display(description="amount")
    def how_much(self, entry: BillingEntry) -> str:
        return money(entry.amount)
