"""The console's exchange rates, which operators keep."""

from django.contrib import admin
from django.http import HttpRequest

from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.money import exact_text
from billing.models import ExchangeRate


@admin.register(ExchangeRate)
class ExchangeRateAdmin(EditorAdmin[ExchangeRate]):
    """Exchange rates, the newest first."""

    list_display = ("day", "from_currency", "to_currency", "rate_text", "source")
    ordering = ("-day", "from_currency", "to_currency")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": ("from_currency", "to_currency", "day", "rate", "source"),
                "description": "What a unit of the first currency is worth in the second, as 0.65 for 1 AUD "
                "in USD. For a month counts the last rate up to its last day, at most 31 days older. Keep "
                "one a month at least; the pair in one direction is enough.",
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: ExchangeRate | None = None) -> bool:
        return request.user.has_perm("billing.delete_exchangerate")

    @display(description="rate")
    def rate_text(self, row: ExchangeRate) -> str:
        return exact_text(row.rate, places=4)
