"""Usage as JSON, and the body that brings it in."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import ExactField, JsonField, RowSerializer, StrictSerializer
from catalog.api.quotes import PeriodSerializer, QuoteSerializer
from catalog.values.kinds import BillingKind
from metering.models import UsageRecord
from metering.values import INTAKE_KINDS, LONGEST_NAME, MOST_EVENTS


class UsageRecordSerializer(RowSerializer[UsageRecord]):
    """The usage of one resource in one period; without a resource, of what was received."""

    deployment = serializers.IntegerField(source="deployment_id")
    resource = serializers.IntegerField(
        source="resource_id", allow_null=True, help_text="Null for usage that was received as events."
    )
    kind = serializers.ChoiceField(source="resource_kind", choices=BillingKind.choices)
    qty = ExactField(places=0, help_text="In the kind's unit, as hours or GB-months.")

    class Meta:
        model = UsageRecord
        fields: ClassVar[list[str]] = [
            "id",
            "deployment",
            "resource",
            "kind",
            "period_start",
            "period_end",
            "granularity",
            "qty",
            "sub_account",
        ]
        read_only_fields = fields


class UsageOfDaySerializer(serializers.Serializer[Any]):
    """The sum of one kind's usage on one day."""

    day = serializers.DateField()
    kind = serializers.ChoiceField(choices=BillingKind.choices)
    qty = serializers.CharField()


class UsageSummarySerializer(serializers.Serializer[Any]):
    """Usage by day and kind, oldest first; what has none is left out."""

    period = PeriodSerializer()
    days = UsageOfDaySerializer(many=True)


class UsageOfKindSerializer(serializers.Serializer[Any]):
    """The sum of one kind's usage."""

    kind = serializers.ChoiceField(choices=BillingKind.choices)
    qty = serializers.CharField()


class DeploymentUsageSerializer(serializers.Serializer[Any]):
    """The usage of one deployment; a kind without any is left out."""

    deployment = serializers.IntegerField()
    period = PeriodSerializer()
    usage = UsageOfKindSerializer(many=True)
    bandwidth_coverage = serializers.CharField(
        allow_null=True,
        help_text="The part of its droplets' time with samples of bandwidth, 0 to 1; nothing is counted for "
        "the rest. Null where the provider measures none.",
    )


class DeploymentQuoteSerializer(serializers.Serializer[Any]):
    """The price of a deployment's month."""

    deployment = serializers.IntegerField()
    plan = serializers.CharField()
    version = serializers.IntegerField()
    is_final = serializers.BooleanField(help_text="Whether the month is over.")
    quote = QuoteSerializer(help_text="By what was used.")
    forecast = QuoteSerializer(
        allow_null=True,
        help_text="Of the running month, if its other days are as those that are over; null while none is, "
        "and for a month that is over.",
    )


@extend_schema_field({"type": ["string", "number"]})
class SentDecimalField(serializers.CharField):
    """A decimal that comes in, as text or as a number."""


class UsageEventSerializer(serializers.Serializer[Any]):
    """One event: a quantity, or a meter's reading with its sequence. Describes; `usage_events` checks."""

    event_id = serializers.CharField(max_length=LONGEST_NAME, help_text="Unique within the source.")
    deployment = serializers.IntegerField(help_text="Its id.")
    kind = serializers.ChoiceField(choices=[(str(kind), kind.label) for kind in INTAKE_KINDS])
    at = serializers.DateTimeField(help_text="When it was used: from the first of last month until now.")
    quantity = SentDecimalField(required=False, help_text="A decimal, not negative.")
    reading = SentDecimalField(
        required=False,
        help_text="Instead of a quantity: a meter's. Its difference to the last counts.",
    )
    sequence = serializers.IntegerField(required=False, help_text="Rises with each reading of a meter.")
    reset = serializers.BooleanField(required=False, help_text="The meter began anew from 0.")
    sub_account = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="A part of the deployment's own, as a customer."
    )


class UsageBatchSerializer(StrictSerializer):
    """A batch of usage events."""

    source = serializers.CharField(  # type: ignore[assignment]  # a field of the body, not the option
        max_length=LONGEST_NAME, help_text="The sender's name for itself; event ids are unique within it."
    )
    events = serializers.ListField(child=JsonField(), help_text=f"1 to {MOST_EVENTS} events.")


@extend_schema_serializer(component_name="UsageBatch")  # in the schema "Request" comes behind it
class UsageBatchRequestSerializer(UsageBatchSerializer):
    """A batch of usage events."""

    events = UsageEventSerializer(many=True, help_text=f"1 to {MOST_EVENTS}.")  # type: ignore[assignment]


class IntakeResultSerializer(serializers.Serializer[Any]):
    """The outcome of a batch."""

    received = serializers.IntegerField()
    counted = serializers.IntegerField(help_text="Those that are new.")
    duplicates = serializers.IntegerField(help_text="Those that came before, in the batch or ever.")
