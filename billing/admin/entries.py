"""The console's list of the billing history's other entries."""

from django.contrib import admin

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from billing.admin.formatting import format_dollars
from billing.models import BillingEntry


@admin.register(BillingEntry)
class BillingEntryAdmin(RecordAdmin[BillingEntry]):
    """Payments, credits, refunds and their like, newest first."""

    list_display = ("date", "type", "description", "formatted_amount", "invoice_uuid")
    fields = ("date", "type", "description", "formatted_amount", "invoice_uuid", "number", "provider")
    readonly_fields = ("formatted_amount",)
    ordering = ("-date", "-pk")
    sortable_by = ()

    @display(description="amount")
    def formatted_amount(self, entry: BillingEntry) -> str:
        return format_dollars(entry.amount)
