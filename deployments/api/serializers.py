"""Deployments with their subscriptions and history as JSON, and the bodies that change them."""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import ExactField, RowSerializer, StrictSerializer
from arcadia_cloud.kernel.scoping import OPERATOR_PREFIX
from deployments.models import (
    Deployment,
    DeploymentEvent,
    Subscription,
    SubscriptionAddon,
    SubscriptionDiscount,
    SubscriptionVersion,
)
from deployments.queries import allowed_moves, get_subscription_for_deployment, latest_events
from deployments.registry import count_resources
from deployments.services import SLUG_RULE
from deployments.states import DeploymentState
from deployments.values import ChangeTime, LlmMode

_MOST_ADDONS: Final = 50
_CODE_CHARACTERS: Final = 60
_LONGEST_REASON: Final = 500


@extend_schema_serializer(component_name="DeploymentEvent")
class EventSerializer(RowSerializer[DeploymentEvent]):
    """One change of a deployment or its subscription."""

    type = serializers.CharField(source="event_type", help_text="What happened, as `transitioned`.")
    present = serializers.CharField(source="from_value", help_text="What it was: a state, a plan's version.")
    to = serializers.CharField(source="to_value", help_text="What it became.")
    saga_id = serializers.IntegerField(allow_null=True, help_text="The saga that makes or made it.")

    class Meta:
        model = DeploymentEvent
        fields: ClassVar[list[str]] = ["id", "type", "from", "to", "actor", "reason", "saga_id", "at"]
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        """As the library's; `from` is no name for a field in Python."""
        declared = {"from": self._declared_fields["present"], **self._declared_fields}
        self._declared_fields = {name: field for name, field in declared.items() if name != "present"}
        return dict(super().get_fields())


class SubscriptionAddonSerializer(RowSerializer[SubscriptionAddon]):
    """An add-on as it was when it was attached, whatever the catalog has since."""

    code = serializers.CharField(source="addon.code")
    qty = ExactField(places=0, help_text="What it adds to the allowance.")

    class Meta:
        model = SubscriptionAddon
        fields: ClassVar[list[str]] = [
            "code",
            "resource_kind",
            "qty",
            "price_cents",
            "currency",
            "attached_on",
            "detached_on",
        ]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "price_cents": {"help_text": "A month, without tax, as on the day it was attached."},
            "detached_on": {"help_text": "The first day without it; null while it is attached."},
        }


class SubscriptionVersionSerializer(RowSerializer[SubscriptionVersion]):
    """The days under one version of a plan. Days that none has were paused."""

    plan_code = serializers.CharField(source="plan_version.plan.code")
    plan_version = serializers.IntegerField(source="plan_version.number")

    class Meta:
        model = SubscriptionVersion
        fields: ClassVar[list[str]] = ["plan_code", "plan_version", "starts_on", "ends_on"]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "ends_on": {"help_text": "The first day after it; null while it is in force."}
        }


class SubscriptionDiscountSerializer(RowSerializer[SubscriptionDiscount]):
    """A reduction: a percentage, or an amount a period in the subscription's currency."""

    percent = ExactField(places=0, allow_null=True, help_text="A decimal; null for an amount.")

    class Meta:
        model = SubscriptionDiscount
        fields: ClassVar[list[str]] = ["percent", "amount_cents", "scope", "valid_from", "valid_to", "reason"]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "scope": {"help_text": "`all`, `base`, or one billing kind."},
            "valid_to": {"help_text": "The first day without it; null: no end."},
        }


class NextPlanSerializer(serializers.Serializer[Any]):
    """The version that a subscription goes to with the next period."""

    plan_code = serializers.CharField()
    plan_version = serializers.IntegerField()
    starts_on = serializers.DateField()


class SubscriptionSerializer(RowSerializer[Subscription]):
    """A subscription with its history. Its version's prices never change, whatever the catalog sells."""

    plan_code = serializers.CharField(source="plan_version.plan.code")
    plan_version = serializers.IntegerField(source="plan_version.number")
    base_price_cents = serializers.IntegerField(
        source="plan_version.base_price_cents", help_text="A month, without tax."
    )
    currency = serializers.CharField(source="plan_version.currency")
    next_plan = serializers.SerializerMethodField(allow_null=True, help_text="Null where none is to come.")
    addons = SubscriptionAddonSerializer(many=True, help_text="The detached ones too.")
    versions = SubscriptionVersionSerializer(many=True)
    discounts = SubscriptionDiscountSerializer(many=True, help_text="In the order in which they apply.")

    class Meta:
        model = Subscription
        fields: ClassVar[list[str]] = [
            "id",
            "status",
            "plan_code",
            "plan_version",
            "base_price_cents",
            "currency",
            "current_period_start",
            "current_period_end",
            "trial_ends_at",
            "next_plan",
            "created_at",
            "cancelled_at",
            "addons",
            "versions",
            "discounts",
        ]
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "current_period_end": {"help_text": "The first day of the next period."},
            "trial_ends_at": {"help_text": "Nothing is due before it; null: no trial."},
        }

    @extend_schema_field(NextPlanSerializer)
    def get_next_plan(self, subscription: Subscription) -> dict[str, Any] | None:
        version = subscription.next_plan_version
        if version is None:
            return None
        return {
            "plan_code": version.plan.code,
            "plan_version": version.number,
            "starts_on": subscription.current_period_end.isoformat(),
        }


class DeploymentSerializer(RowSerializer[Deployment]):
    """A deployment as its tenant sees it."""

    class Meta:
        model = Deployment
        fields: ClassVar[list[str]] = [
            "id",
            "tenant_id",
            "slug",
            "display_name",
            "region",
            "state",
            "llm_mode",
            "template_code",
            "template_version",
            "created_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(component_name="Deployment")
class OperatorDeploymentSerializer(DeploymentSerializer):
    """A deployment. Operators also see their override."""

    class Meta(DeploymentSerializer.Meta):
        fields: ClassVar[list[str]] = [*DeploymentSerializer.Meta.fields, "billing_action_suspended"]
        read_only_fields = DeploymentSerializer.Meta.fields
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "billing_action_suspended": {
                "required": False,
                "help_text": "Automatic billing actions leave it alone. Operators only.",
            }
        }


class DeploymentDetailSerializer(DeploymentSerializer):
    """A deployment with its subscription, its latest events and the moves that its tenant may make."""

    for_operator: ClassVar[bool] = False

    allowed_transitions = serializers.SerializerMethodField(
        help_text="The states that the caller may move it to now."
    )
    resources_count = serializers.SerializerMethodField(help_text="Its live resources.")
    subscription = serializers.SerializerMethodField(
        allow_null=True, help_text="The live one, else the last; null where it never had any."
    )
    events = serializers.SerializerMethodField(help_text="The latest 50, newest first.")

    class Meta(DeploymentSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *DeploymentSerializer.Meta.fields,
            "allowed_transitions",
            "resources_count",
            "subscription",
            "events",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(DeploymentState.choices)))
    def get_allowed_transitions(self, deployment: Deployment) -> list[str]:
        return allowed_moves(deployment.state, as_tenant=not self.for_operator)

    def get_resources_count(self, deployment: Deployment) -> int:
        return count_resources([deployment.pk]).get(deployment.pk, 0)

    @extend_schema_field(SubscriptionSerializer)
    def get_subscription(self, deployment: Deployment) -> dict[str, Any] | None:
        subscription = get_subscription_for_deployment(deployment.pk)
        return None if subscription is None else dict(SubscriptionSerializer(subscription).data)

    @extend_schema_field(EventSerializer(many=True))
    def get_events(self, deployment: Deployment) -> list[dict[str, Any]]:
        events = list(EventSerializer(latest_events(deployment), many=True).data)
        if not self.for_operator:
            # Which of the operators it was is for operators alone, as with the saga of the same move.
            for event in events:
                if event["actor"].startswith(OPERATOR_PREFIX):
                    event["actor"] = "operator"
        return events


@extend_schema_serializer(component_name="DeploymentDetail")
class OperatorDeploymentDetailSerializer(DeploymentDetailSerializer):
    """A deployment with its subscription, its latest events and the moves that the caller may make."""

    for_operator = True

    class Meta(OperatorDeploymentSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *OperatorDeploymentSerializer.Meta.fields,
            *DeploymentDetailSerializer.Meta.fields[len(DeploymentSerializer.Meta.fields) :],
        ]
        read_only_fields = DeploymentDetailSerializer.Meta.fields


@extend_schema_serializer(component_name="TransitionResult")
class TransitionResultSerializer(OperatorDeploymentDetailSerializer):
    """A deployment, and the saga that moves it where that takes more than a row."""

    saga_id = serializers.SerializerMethodField(
        allow_null=True, help_text="With 202: the state changes when this saga completes. Else null."
    )

    class Meta(OperatorDeploymentDetailSerializer.Meta):
        fields: ClassVar[list[str]] = [*OperatorDeploymentDetailSerializer.Meta.fields, "saga_id"]

    def get_saga_id(self, _deployment: Deployment) -> int | None:
        saga_id: int | None = self.context.get("saga_id")
        return saga_id


class CreateSerializer(StrictSerializer):
    """A deployment to make, for the caller's own tenant."""

    slug = serializers.CharField(max_length=63, help_text=f"Unique within the tenant. {SLUG_RULE}")
    display_name = serializers.CharField(max_length=200, default="", allow_blank=True)
    region = serializers.CharField(max_length=20, default="", allow_blank=True, help_text="As `syd1`.")
    llm_mode = serializers.ChoiceField(LlmMode.choices, default=LlmMode.NONE)
    trial = serializers.BooleanField(default=False, help_text="Begin in trial; else it is active.")


@extend_schema_serializer(component_name="DeploymentCreate")
class OperatorCreateSerializer(CreateSerializer):
    """A deployment to make. A tenant makes it for itself; an operator names the tenant."""

    # Not required in the schema, which describes a tenant's body too.
    tenant_id = serializers.CharField(
        max_length=255, required=False, help_text="Operators only, and required of them."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "tenant_id" not in attrs:
            raise serializers.ValidationError({"tenant_id": ["Is required."]})
        return attrs


class ChangeSerializer(StrictSerializer):
    """A tenant's changes of a deployment."""

    display_name = serializers.CharField(max_length=200, required=False, allow_blank=True)


@extend_schema_serializer(component_name="DeploymentChange")
class OperatorChangeSerializer(ChangeSerializer):
    """Changes of a deployment; what isn't named stays."""

    region = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="Operators only."
    )
    llm_mode = serializers.ChoiceField(LlmMode.choices, required=False, help_text="Operators only.")
    billing_action_suspended = serializers.BooleanField(
        required=False, help_text="Automatic billing actions leave it alone. Operators only."
    )


class TransitionSerializer(StrictSerializer):
    """A move to another state."""

    to = serializers.ChoiceField(DeploymentState.choices)
    reason = serializers.CharField(max_length=_LONGEST_REASON, default="", allow_blank=True)


class SubscribeSerializer(StrictSerializer):
    """A plan to subscribe to, with add-ons."""

    plan_code = serializers.CharField(
        max_length=_CODE_CHARACTERS, help_text="Its active version is subscribed to."
    )
    addons = serializers.ListField(
        child=serializers.CharField(max_length=_CODE_CHARACTERS),
        default=list,
        max_length=_MOST_ADDONS,
        help_text="Codes of add-ons, each once.",
    )


@extend_schema_serializer(component_name="AddonAttach")
class AttachSerializer(StrictSerializer):
    """An add-on to attach."""

    code = serializers.CharField(max_length=_CODE_CHARACTERS)


class ChangePlanSerializer(StrictSerializer):
    """A plan to change to, and when."""

    plan_code = serializers.CharField(
        max_length=_CODE_CHARACTERS, help_text="Its active version; the present plan's takes a new price."
    )
    when = serializers.ChoiceField(
        ChangeTime.choices,
        required=False,
        help_text="Unless said: at once, but without proration a cheaper version with the next period.",
    )
