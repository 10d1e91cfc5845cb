"""The JSON of billing, for operators alone. What the provider bills is an exact decimal, as a string."""

from typing import Any, ClassVar

from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import ExactField
from billing.models import BalanceSnapshot, CostLine, ProviderInvoice
from billing.queries import CostGroup


class BalanceSerializer(serializers.ModelSerializer[BalanceSnapshot]):
    """A balance; positive is owed, a credit is negative."""

    month_to_date_balance = ExactField(help_text="The sum of the other two.")
    account_balance = ExactField(help_text="What is owed of earlier months.")
    month_to_date_usage = ExactField(help_text="What this month has cost so far.")

    class Meta:
        model = BalanceSnapshot
        fields: ClassVar[list[str]] = [
            "month_to_date_balance",
            "account_balance",
            "month_to_date_usage",
            "currency",
            "generated_at",
            "captured_at",
        ]
        read_only_fields = fields


class BalanceAnswerSerializer(BalanceSerializer):
    """The latest balance; with `history` the hours before it, oldest first."""

    history = BalanceSerializer(many=True, required=False, help_text="Only where `history` was asked for.")

    class Meta(BalanceSerializer.Meta):
        fields: ClassVar[list[str]] = [*BalanceSerializer.Meta.fields, "history"]
        read_only_fields = fields


class InvoiceSerializer(serializers.ModelSerializer[ProviderInvoice]):
    """An invoice of the provider, how its lines add up, and what finance has of it."""

    amount = ExactField(help_text="What the provider says.")
    lines_total = ExactField(help_text="What the lines sum to.")
    adjustments_total = ExactField(help_text="The part that stands in the summary alone: credits, mostly.")
    amount_gross_minor = serializers.IntegerField(help_text="In cents, as finance is told.")
    amount_tax_minor = serializers.IntegerField(help_text="In cents: the part that is tax.")
    amount_net_minor = serializers.IntegerField(help_text="In cents: the part that isn't.")

    class Meta:
        model = ProviderInvoice
        fields: ClassVar[list[str]] = [
            "id",
            "provider",
            "invoice_uuid",
            "invoice_id",
            "period",
            "issued_on",
            "is_preview",
            "amount",
            "currency",
            "amount_gross_minor",
            "amount_tax_minor",
            "amount_net_minor",
            "discovered_at",
            "ingest_status",
            "ingested_at",
            "ingest_error",
            "line_count",
            "lines_total",
            "adjustments_total",
            "accepted_at",
            "accepted_by",
            "accepted_note",
            "push_status",
            "pushed_to_finance_at",
            "finance_invoice_id",
            "finance_action",
            "push_error",
        ]
        read_only_fields = fields


class CostLineSerializer(serializers.ModelSerializer[CostLine]):
    """One line of an invoice, as billed, and the resource that it is about."""

    period = serializers.DateField(source="invoice.period", help_text="The first day of the invoice's month.")
    amount = ExactField()
    hours = serializers.SerializerMethodField(help_text="As billed; null where the line has none.")
    currency = serializers.CharField(source="invoice.currency")
    is_preview = serializers.BooleanField(source="invoice.is_preview")
    resource_name = serializers.CharField(source="resource.name", default=None, allow_null=True)
    tenant_id = serializers.CharField(
        source="resource.tenant_id",
        default=None,
        allow_null=True,
        help_text="The resource's tenant by now; whose the line's hours were, `billing/costs` tells.",
    )
    deployment_id = serializers.IntegerField(
        source="resource.deployment_id",
        default=None,
        allow_null=True,
        help_text="The resource's deployment by now.",
    )

    class Meta:
        model = CostLine
        fields: ClassVar[list[str]] = [
            "id",
            "invoice_id",
            "period",
            "is_preview",
            "line_no",
            "product",
            "group_description",
            "description",
            "hours",
            "started_at",
            "ended_at",
            "amount",
            "currency",
            "project_name",
            "category",
            "kind",
            "name",
            "is_tax",
            "match",
            "resource_id",
            "resource_name",
            "tenant_id",
            "deployment_id",
        ]
        read_only_fields = fields

    def get_hours(self, line: CostLine) -> str | None:
        return None if line.hours is None else f"{line.hours.normalize():f}"


class CostRowSerializer(serializers.Serializer[Any]):
    """A part of a month's invoices. `others` is what is matched and beyond the limit, together."""

    group = serializers.ChoiceField(choices=[str(group) for group in CostGroup])
    key = serializers.CharField(
        allow_null=True, help_text="The id, tenant or kind; null where there is none."
    )
    name = serializers.CharField(allow_blank=True, help_text="The same for people.")
    amount = ExactField()
    line_count = serializers.IntegerField()


class CostsSerializer(serializers.Serializer[Any]):
    """A month's costs. The rows sum to `total`, the sum of the invoices."""

    period = serializers.DateField()
    by = serializers.CharField()
    total = ExactField()
    currency = serializers.CharField()
    has_preview = serializers.BooleanField(help_text="Whether some of the lines aren't final.")
    rows = CostRowSerializer(many=True)
