"""The filters of billing's lists."""

from datetime import date
from typing import Any, ClassVar, Final

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from arcadia_cloud.kernel.api.filters import FlagFilter, IdFilter
from arcadia_cloud.kernel.periods import parse_month
from billing.models import CostLine, ProviderInvoice
from billing.states import IngestStatus, PushStatus
from billing.values import OTHER, TAX
from inventory.values import Kind

PERIOD_HELP: Final = "A month, as `2026-04` or its first day `2026-04-01`."
KINDS: Final = [*Kind.choices, (TAX, "tax"), (OTHER, "other")]


class _PeriodField(forms.Field):
    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            return parse_month(value).start
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@extend_schema_field(OpenApiTypes.STR)
class PeriodFilter(filters.Filter):  # type: ignore[misc]  # the library is untyped
    """A month; another day of it is refused, not rounded down."""

    field_class = _PeriodField


class InvoiceFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Invoices, previews among them."""

    period = PeriodFilter(help_text=PERIOD_HELP)
    ingest_status = filters.ChoiceFilter(choices=IngestStatus.choices, help_text="How far its lines are.")
    push_status = filters.ChoiceFilter(choices=PushStatus.choices, help_text="What finance has of it.")
    preview = FlagFilter(field_name="is_preview", help_text="`true`: only the running month's so far.")

    class Meta:
        model = ProviderInvoice
        fields: ClassVar[list[str]] = []


class CostLineFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Lines of invoices, newest invoice first."""

    period = PeriodFilter(method="filter_period", help_text=PERIOD_HELP)
    kind = filters.ChoiceFilter(choices=KINDS, help_text="A kind of resource, `tax`, or `other`.")
    matched = FlagFilter(
        method="filter_matched", help_text="`true`: only lines with a resource; `false`: only those without."
    )
    invoice = IdFilter(field_name="invoice_id", help_text="The invoice's id.")
    deployment = IdFilter(
        method="filter_deployment",
        help_text="The deployment's id: lines whose resource was its own in some of their hours.",
    )

    class Meta:
        model = CostLine
        fields: ClassVar[list[str]] = []

    def filter_period(self, queryset: QuerySet[CostLine], _name: str, value: date) -> QuerySet[CostLine]:
        """Filter by the ids of the month's one or two invoices: an index has their lines in order."""
        ids = list(ProviderInvoice.objects.filter(period=value).values_list("pk", flat=True))
        return queryset.filter(invoice_id=ids[0]) if len(ids) == 1 else queryset.filter(invoice_id__in=ids)

    def filter_deployment(self, queryset: QuerySet[CostLine], _name: str, value: int) -> QuerySet[CostLine]:
        return queryset & CostLine.objects.of_deployment(value)

    def filter_matched(self, queryset: QuerySet[CostLine], _name: str, value: bool) -> QuerySet[CostLine]:
        return queryset.filter(resource__isnull=not value)
