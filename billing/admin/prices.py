"""The console's list prices of the provider, and the costs of days."""

from datetime import date
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest

from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.money import Money, format_money
from billing.admin.formatting import format_dollars
from billing.admin.kinds import KindColumn
from billing.admin.leftovers import LeftoversAdmin
from billing.admin.month_checks import MonthCheckPages
from billing.admin.tenants import TenantPages
from billing.models import DailyCost, ProviderPrice
from billing.services import recompute_after_price_change
from billing.values import CostSource
from inventory.values import PROVIDER_CURRENCY, Kind

_VERIFIED, _NOT_VERIFIED = "verified", "not verified"
_VERIFIED_COLOURS: Final = {_VERIFIED: "success", _NOT_VERIFIED: "warning"}


class PriceKindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = Kind.choices


class CostSourceFilter(ChoiceFilter):
    title = "source"
    parameter_name = "source"
    options = CostSource.choices


class PriceVerifiedFilter(ChoiceFilter):
    title = "verified"
    parameter_name = "is_verified"
    options = (("True", "Verified"), ("False", "Not verified"))


@admin.register(ProviderPrice)
class ProviderPriceAdmin(EditorAdmin[ProviderPrice]):
    """List prices of the provider, by kind, sku and region, the newest last."""

    list_display = (
        "kind", "sku", "region", "formatted_price", "unit", "verified", "source", "read_on", "is_available",
        "effective_from", "effective_to",
    )  # fmt: skip
    list_filter = (PriceKindFilter, PriceVerifiedFilter)
    search_fields = ("sku",)
    ordering = ("kind", "sku", "region", "effective_from")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "kind", "sku", "region", "unit", "price", "monthly_cap", "is_available", "source",
                    "read_on", "is_verified", "effective_from", "effective_to",
                ),
                "description": "In US dollars. The price is for 672 hours of one unit, the cap the most "
                "that a calendar month costs. Empty: any sku or region, since ever. A new price: a new row; "
                "end the old one first. To correct a row has the days that it counts for computed again. "
                "Verified: you have read it on the provider's own page, or it is in your contract.",
            },
        ),
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: ProviderPrice, form: Any, change: bool) -> None:
        """Save it, and have the days that it counted or counts for computed again."""
        super().save_model(request, obj, form, change)
        since: list[date | None] = [obj.effective_from]
        until: list[date | None] = [obj.effective_to]
        if change:
            since.append(form.initial["effective_from"])
            until.append(form.initial["effective_to"])
        recompute_after_price_change(
            since=None if None in since else min(day for day in since if day),
            until=None if None in until else max(day for day in until if day),
        )

    @display(description="verified", label=_VERIFIED_COLOURS)
    def verified(self, row: ProviderPrice) -> str:
        return _VERIFIED if row.is_verified else _NOT_VERIFIED

    @display(description="price")
    def formatted_price(self, row: ProviderPrice) -> str:
        return format_money(Money(row.price, PROVIDER_CURRENCY), exact=True)


@admin.register(DailyCost)
class DailyCostAdmin(KindColumn, TenantPages, MonthCheckPages, LeftoversAdmin):
    """Costs by day, owner and kind, newest first; the pages that are made of them come with it."""

    list_display = (
        "day", "source", "part", "tenant_id", "deployment", "kind_name", "formatted_amount", "resources",
        "unpriced",
    )  # fmt: skip
    list_filter = (CostSourceFilter, PriceKindFilter)
    list_select_related = ("deployment",)
    fields = list_display
    readonly_fields = ("formatted_amount", "kind_name")
    ordering = ("-day", "-pk")
    sortable_by = ()

    @display(description="amount")
    def formatted_amount(self, cost: DailyCost) -> str:
        return format_dollars(cost.amount)
