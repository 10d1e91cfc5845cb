"""The console's list of cost lines: reached from an invoice, and from a resource."""

from django.contrib import admin

from arcadia_cloud.kernel.console.filters import ChoiceFilter, RowNumberFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from billing.admin.formatting import MATCH_COLOURS, format_dollars
from billing.admin.kinds import KindColumn
from billing.models import CostLine
from billing.values import OTHER, TAX, Match
from inventory.values import Kind


class InvoiceNumberFilter(RowNumberFilter):
    title = "invoice's number here"
    parameter_name = "invoice"


class ResourceNumberFilter(RowNumberFilter):
    title = "resource's number"
    parameter_name = "resource"


class MatchFilter(ChoiceFilter):
    title = "match"
    parameter_name = "match"
    options = Match.choices


class LineKindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = (*Kind.choices, (TAX, "tax"), (OTHER, "other"))


@admin.register(CostLine)
class CostLineAdmin(KindColumn, RecordAdmin[CostLine]):
    """Lines of invoices, those read last first."""

    list_display = (
        "invoice", "line_no", "product", "description", "project_name", "started_at", "ended_at",
        "formatted_amount", "match_label", "resource_link",
    )  # fmt: skip
    list_filter = (InvoiceNumberFilter, ResourceNumberFilter, MatchFilter, LineKindFilter)
    list_select_related = ("invoice", "resource")
    sortable_by = ()
    fieldsets = (
        (
            "As billed",
            {
                "fields": (
                    "invoice", "line_no", "product", "group_description", "description", "hours",
                    "started_at", "ended_at", "formatted_amount", "project_name", "category",
                ),
            },
        ),
        ("Derived", {"fields": ("kind_name", "name", "is_tax", "match_label", "resource_link")}),
    )  # fmt: skip
    readonly_fields = ("formatted_amount", "kind_name", "match_label", "resource_link")

    @display(description="amount")
    def formatted_amount(self, line: CostLine) -> str:
        return format_dollars(line.amount)

    @display(description="match", label=MATCH_COLOURS)
    def match_label(self, line: CostLine) -> str:
        return line.match

    @display(description="resource")
    def resource_link(self, line: CostLine) -> str:
        if line.resource is None:
            return NOTHING
        return row_link("inventory_resource", line.resource.pk, line.resource)
