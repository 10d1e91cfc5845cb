"""The console's list of cost lines: reached from an invoice, and from a resource."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DropdownFilter, TextFilter, display
from billing.admin.formatting import MATCH_COLOURS, money
from billing.models import CostLine
from billing.values import OTHER, TAX, Match
from inventory.values import Kind


class _NumberFilter(TextFilter):
    """Rows that point to one row of another table; every such column has an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[CostLine]) -> QuerySet[CostLine]:
        value = self.value()
        if not value:
            return queryset
        is_number = value.isascii() and value.isdecimal() and len(value) <= 18  # noqa: PLR2004 - a bigint
        return queryset.filter(**{str(self.parameter_name): int(value)}) if is_number else queryset.none()


class InvoiceNumberFilter(_NumberFilter):
    title = "invoice's number here"
    parameter_name = "invoice"


class ResourceNumberFilter(_NumberFilter):
    title = "resource's number"
    parameter_name = "resource"


class MatchFilter(DropdownFilter):
    title = "match"
    parameter_name = "match"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Match.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CostLine]) -> QuerySet[CostLine]:
        return queryset.filter(match=self.value()) if self.value() else queryset


class LineKindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        kinds = [(str(value), str(label)) for value, label in Kind.choices]
        return [*kinds, (TAX, "tax"), (OTHER, "other")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CostLine]) -> QuerySet[CostLine]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(CostLine)
class CostLineAdmin(RecordAdmin[CostLine]):
    """Lines of invoices, those read last first."""

    list_display = (
        "invoice", "line_no", "product", "description", "project_name", "started_at", "ended_at", "how_much",
        "matched", "about",
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
                    "started_at", "ended_at", "how_much", "project_name", "category",
                ),
            },
        ),
        ("Derived", {"fields": ("kind", "name", "is_tax", "matched", "about")}),
    )  # fmt: skip
    readonly_fields = ("how_much", "matched", "about")

    @display(description="amount")
    def how_much(self, line: CostLine) -> str:
        return money(line.amount)

    @display(description="match", label=MATCH_COLOURS)
    def matched(self, line: CostLine) -> str:
        return line.match

    @display(description="resource")
    def about(self, line: CostLine) -> str:
        if line.resource is None:
            return "-"
        address = reverse("admin:inventory_resource_change", args=[line.resource_id])
        return format_html('<a href="{}" class="text-link">{}</a>', address, line.resource)
