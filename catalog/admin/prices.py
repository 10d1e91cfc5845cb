"""The console's dated prices and taxes: what has begun is only ended, what is to come may still change."""

from datetime import date
from typing import Any, TypeVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.money import format_money
from catalog.admin.formatting import format_quantity
from catalog.columns import money_of
from catalog.models import ResourcePrice, TaxRate

D = TypeVar("D", ResourcePrice, TaxRate)


class DatedAdmin(EditorAdmin[D]):
    """Rows in force from one day until the day before another. One that isn't in force yet may be deleted."""

    def get_readonly_fields(self, request: HttpRequest, obj: D | None = None) -> tuple[str, ...]:
        """Return all but the end of what has begun: quotes were made with it."""
        if obj is None or not _has_begun(obj.effective_from):
            return ()
        return tuple(
            field.name for field in self.opts.concrete_fields if field.name not in {"id", "effective_to"}
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")
        return may and obj is not None and not _has_begun(obj.effective_from)


def _has_begun(since: date) -> bool:
    return since <= timezone.now().date()


@admin.register(ResourcePrice)
class ResourcePriceAdmin(DatedAdmin[ResourcePrice]):
    """Prices of kinds that a plan doesn't price, by kind."""

    list_display = ("resource_kind", "price", "unit", "effective_from", "effective_to")
    list_filter = ("resource_kind",)
    ordering = ("resource_kind", "currency", "effective_from")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "resource_kind", "currency", "unit_qty", "price_cents", "effective_from", "effective_to",
                ),
                "description": "The price, in cents with fractions, buys the unit. It counts from its first "
                "day until the day before its end. A new price is a new row: end this one first.",
            },
        ),
    )  # fmt: skip

    @display(description="price")
    def price(self, row: ResourcePrice) -> str:
        return format_money(money_of(row.price_cents, row.currency), exact=True)

    @display(description="per")
    def unit(self, row: ResourcePrice) -> str:
        return format_quantity(row.unit_qty)


@admin.register(TaxRate)
class TaxRateAdmin(DatedAdmin[TaxRate]):
    """Taxes on what is sold, by currency."""

    list_display = ("code", "currency", "rate", "effective_from", "effective_to")
    ordering = ("currency", "code", "effective_from")
    sortable_by = ()
    fields = ("code", "currency", "percent", "effective_from", "effective_to")

    @display(description="percent")
    def rate(self, row: TaxRate) -> str:
        return format_quantity(row.percent)
