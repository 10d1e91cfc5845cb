"""Plans and add-ons as JSON, and the question of an estimate."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import Field

from arcadia_cloud.kernel.api.serializers import RowSerializer, StrictSerializer
from arcadia_cloud.kernel.money import exact_text
from arcadia_cloud.kernel.periods import Period, parse_month
from catalog.api.quotes import QuoteSerializer
from catalog.models import Addon, Plan, PlanItem, PlanVersion
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.kinds import BillingKind

_DIGITS = 24  # as a quantity's column has them
_MOST_ADDONS = 50


@extend_schema_field({"type": "string", "format": "decimal"})
class QuantityField(serializers.DecimalField):
    """A quantity: a string without trailing zeros goes out; a string or a number comes in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=_DIGITS, decimal_places=QUANTITY_PLACES, **options)

    def to_representation(self, value: Any) -> str:
        return exact_text(value, places=0)


@extend_schema_field({"type": ["string", "number"]})
class SentQuantityField(QuantityField):
    """A quantity that comes in."""


class TierSerializer(serializers.Serializer[Any]):
    """The part of a quantity up to and including `up_to`; the last tier has no end."""

    up_to = serializers.CharField(allow_null=True, default=None)
    unit_price_cents = serializers.CharField(help_text="A decimal: it may be a part of a cent.")
    flat_fee_cents = serializers.CharField(
        default="0", help_text="Once the tier is entered; the first one's also without any usage."
    )


class PlanItemSerializer(RowSerializer[PlanItem]):
    """The terms for one kind: the allowance of a whole interval, and the price of what is over it."""

    included_qty = QuantityField(help_text="What the base price includes.")
    overage_unit = QuantityField(help_text="The quantity that one overage price buys.")
    hard_cap_qty = QuantityField(
        allow_null=True, help_text="Usage beyond it is flagged and not charged; null: no cap."
    )
    tiers = TierSerializer(many=True, help_text="Of the tiered price models; else empty.")

    class Meta:
        model = PlanItem
        fields: ClassVar[list[str]] = [
            "resource_kind",
            "included_qty",
            "price_model",
            "overage_unit",
            "overage_price_cents",
            "tiers",
            "hard_cap_qty",
            "minimum_cents",
            "maximum_cents",
        ]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "overage_price_cents": {"help_text": "Null: the tiers, or else the resource prices, decide."},
            "minimum_cents": {"help_text": "The least that the overage costs; null: no minimum."},
            "maximum_cents": {"help_text": "The most that the overage costs; null: no maximum."},
        }


class PlanVersionSerializer(RowSerializer[PlanVersion]):
    """The terms that a new subscription gets. They never change: a new price is a new version."""

    items = PlanItemSerializer(many=True)

    class Meta:
        model = PlanVersion
        fields: ClassVar[list[str]] = [
            "number",
            "base_price_cents",
            "currency",
            "billing_interval",
            "proration",
            "published_at",
            "items",
        ]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "base_price_cents": {"help_text": "Of one whole interval, without tax."}
        }


class PlanSerializer(RowSerializer[Plan]):
    """A plan on sale, with its active version."""

    version = serializers.SerializerMethodField(help_text="The active version.")

    class Meta:
        model = Plan
        fields: ClassVar[list[str]] = ["code", "name", "description", "public", "version"]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "public": {"help_text": "`false`: it is offered to named tenants only."}
        }

    @extend_schema_field(PlanVersionSerializer)
    def get_version(self, plan: Plan) -> dict[str, Any]:
        [version] = plan.versions.all()  # the query fetched the active one alone
        return dict(PlanVersionSerializer(version).data)


class AddonSerializer(RowSerializer[Addon]):
    """More of a kind for a price a month."""

    qty = QuantityField(help_text="What it adds to the allowance.")

    class Meta:
        model = Addon
        fields: ClassVar[list[str]] = ["code", "name", "resource_kind", "qty", "price_cents", "currency"]
        read_only_fields = fields


class UsageSerializer(StrictSerializer):
    """The quantities used in the period, by billing kind; one that isn't named is 0."""

    def get_fields(self) -> "dict[str, Field[Any, Any, Any, Any]]":
        return {
            str(kind): SentQuantityField(required=False, min_value=0, help_text=str(kind.label))
            for kind in BillingKind
        }


@extend_schema_field({"type": "string", "example": "2026-07"})
class MonthField(serializers.Field[Period, str, Any, Any]):
    """A month, as `2026-07` or its first day."""

    def to_internal_value(self, data: Any) -> Period:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a month, as 2026-07.")
        try:
            return parse_month(data)
        except ValueError as refusal:
            raise serializers.ValidationError(str(refusal)) from refusal


@extend_schema_serializer(component_name="Estimate")  # in the schema "Request" comes behind it
class EstimateRequestSerializer(StrictSerializer):
    """A question: what would this usage cost under a plan, with these add-ons?"""

    plan = serializers.CharField(max_length=60, help_text="The plan's code; its active version is quoted.")
    addons = serializers.ListField(
        child=serializers.CharField(max_length=60),
        default=list,
        max_length=_MOST_ADDONS,
        help_text="Codes of add-ons, each once.",
    )
    usage = UsageSerializer(default=dict)
    period = MonthField(required=False, help_text="A month, as `2026-07`; by default the running one.")


@extend_schema_serializer(component_name="Estimate")
class EstimateSerializer(QuoteSerializer):
    """The price of a whole month under a plan, explained line by line."""

    plan = serializers.CharField()
    version = serializers.IntegerField(help_text="The number of the plan's active version.")
