"""The console's add-ons. A change counts for what is attached from then on: subscriptions keep snapshots."""

from django.contrib import admin
from django.http import HttpRequest

from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.theme import display
from catalog.admin.formatting import format_cents, format_quantity
from catalog.models import Addon


@admin.register(Addon)
class AddonAdmin(EditorAdmin[Addon]):
    """Add-ons by code. One that is no longer sold is switched off, not deleted."""

    list_display = ("code", "name", "resource_kind", "quantity", "price", "active")
    search_fields = ("code", "name")
    ordering = ("code",)
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": ("code", "name", "resource_kind", "qty", "price_cents", "currency", "active"),
                "description": "The price is in cents, for one month, without tax. Who has the add-on "
                "already keeps the price and the quantity that it had when it was attached.",
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Addon | None = None) -> tuple[str, ...]:
        """Return the code once it is given: clients and subscriptions know the add-on by it."""
        return () if obj is None else ("code",)

    @display(description="quantity")
    def quantity(self, addon: Addon) -> str:
        return format_quantity(addon.qty)

    @display(description="price")
    def price(self, addon: Addon) -> str:
        return format_cents(addon.price_cents, addon.currency)
