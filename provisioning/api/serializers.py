"""Sagas and their ledgers as the API shows them.

A tenant sees that something is done to its deployment, and its progress. The inputs, the provider's responses
and the subjects may hold prices, tags and hosts: they are for operators alone.
"""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import StrictSerializer
from provisioning.models import SagaRun, SagaStepResult
from provisioning.plan import BrakeOutcome, Plan

_OPERATORS_FIELDS: Final = {
    "direction": "`backward` since it turned round to undo what it did.",
    "step_modules": "The names of its steps, as decided at the start.",
    "current_step_idx": "The step it stands at, from 0; the number of steps when all are done.",
    "subjects": "What it works on: one live saga at most for each.",
    "requested_by": "Who started it.",
    "cancel_requested": "Whether somebody asked to undo it.",
    "cancel_requested_by": "Who did.",
    "cancel_requested_at": "When.",
    "error": "`reason`, and from which step on it was undone; null while all is well.",
    "compensation_failures": "How many steps could not be undone.",
    "recoveries": "How often it was taken over from a worker that died.",
    "not_after": "It ends, nothing done, unless it began by then.",
    "begun_at": "When it began to hold what it works on; null while it is scheduled.",
    "wake_at": "When it goes on, while it waits.",
    "wait_reason": "What it waits for.",
    "retry_of": "The rolled-back saga that it repeats.",
}
_STEP_FIELDS: Final = {
    "output": "What the step put into the saga's context.",
    "error": "Type and message of what went wrong last, of its undo too.",
    "attempts": "How often it was begun; waits don't count.",
    "began_at": "When it was last entered.",
    "compensation_attempts": "How often its undo was begun.",
    "compensation_started_at": "When its undo was first begun.",
    "compensation_finished_at": "When its undo ended.",
}


def _for_operators(fields: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return extra_kwargs: not required, since the one schema describes tenants' responses too."""
    return {
        name: {"required": False, "help_text": f"{words} Operators only."} for name, words in fields.items()
    }


@extend_schema_serializer(component_name="SagaPlan")  # in the schema "Request" comes behind it
class SagaPlanRequestSerializer(StrictSerializer):
    """A saga to plan."""

    kind = serializers.CharField(max_length=80, help_text="A workflow; see `sagas/kinds`.")
    inputs = serializers.DictField(default=dict, help_text="As the workflow's schema says.")


@extend_schema_serializer(component_name="SagaStart")
class StartSerializer(SagaPlanRequestSerializer):
    """A saga to start, now or later."""

    start_at = serializers.DateTimeField(
        default=None,
        allow_null=True,
        help_text="It waits until then, holds nothing meanwhile, and is checked again when it begins.",
    )
    not_after = serializers.DateTimeField(
        default=None,
        allow_null=True,
        help_text="One that couldn't begin by then ends `rolled_back`, reason `too_late`, nothing done.",
    )


class EffectSerializer(serializers.Serializer[Any]):
    """One thing that is created, changed or destroyed."""

    kind = serializers.CharField(help_text="As `droplet`, `snapshot`, `project`, `dns_record`.")
    name = serializers.CharField()
    detail = serializers.CharField(help_text="May be empty.")


class BrakeSerializer(serializers.Serializer[Any]):
    """One reason why it wouldn't begin at once."""

    code = serializers.CharField(help_text="That of the refusal, or `paused`, `creates_capped`.")
    outcome = serializers.ChoiceField(
        [str(outcome) for outcome in BrakeOutcome],
        help_text="`refused`: a start is refused. `waits`: it is started, and waits.",
    )
    message = serializers.CharField()


class PlannedStepSerializer(serializers.Serializer[Any]):
    """A step to come."""

    name = serializers.CharField()
    description = serializers.CharField()


class SagaPlanSerializer(serializers.Serializer[Any]):
    """The answer to what a start would do."""

    kind = serializers.CharField()
    title = serializers.CharField(help_text="In words.")
    is_startable = serializers.BooleanField(help_text="Whether a start would be taken now, be it to wait.")
    steps = PlannedStepSerializer(many=True)
    subjects = serializers.ListField(child=serializers.CharField(), help_text="What it would hold.")
    tenant_id = serializers.CharField(allow_null=True)
    deployment_id = serializers.IntegerField(allow_null=True)
    creates = EffectSerializer(many=True, source="effects.creates")
    changes = EffectSerializer(many=True, source="effects.changes")
    destroys = EffectSerializer(many=True, source="effects.destroys")
    powered_off = serializers.ListField(
        child=serializers.CharField(),
        source="effects.powered_off",
        help_text="A line for each droplet that is off meanwhile, or afterwards.",
    )
    monthly_price_change_cents = serializers.SerializerMethodField(
        help_text="The change of DigitalOcean's list price for a month; null: not known."
    )
    currency = serializers.SerializerMethodField(help_text="Of the change; null where that isn't known.")
    price_note = serializers.CharField(source="effects.price_note", help_text="What the change leaves out.")
    brakes = BrakeSerializer(many=True)
    unchecked = serializers.CharField(help_text="What could not be checked; empty when all was.")
    offer_read_at = serializers.DateTimeField(
        allow_null=True, help_text="When DigitalOcean last answered for its sizes and limits."
    )

    def get_monthly_price_change_cents(self, plan: Plan) -> int | None:
        return None if plan.effects.price_change is None else plan.effects.price_change.cents

    def get_currency(self, plan: Plan) -> str | None:
        return None if plan.effects.price_change is None else plan.effects.price_change.currency


class NothingSerializer(StrictSerializer):
    """A body without a field: what is asked for stands in the address."""


class StepSerializer(serializers.ModelSerializer[SagaStepResult]):
    """A step that was begun, as a tenant sees it."""

    class Meta:
        model = SagaStepResult
        fields: ClassVar[list[str]] = ["step_idx", "name", "status", "started_at", "finished_at"]
        read_only_fields = fields


@extend_schema_serializer(component_name="SagaStep")
class OperatorStepSerializer(serializers.ModelSerializer[SagaStepResult]):
    """A step that was begun: one line of the ledger."""

    output = serializers.DictField(required=False, help_text=f"{_STEP_FIELDS['output']} Operators only.")
    error = serializers.DictField(
        required=False, allow_null=True, help_text=f"{_STEP_FIELDS['error']} Operators only."
    )

    class Meta:
        model = SagaStepResult
        fields: ClassVar[list[str]] = [*StepSerializer.Meta.fields, *_STEP_FIELDS]
        read_only_fields = StepSerializer.Meta.fields
        extra_kwargs = _for_operators(_STEP_FIELDS)


class SagaSerializer(serializers.ModelSerializer[SagaRun]):
    """A saga as its tenant sees it."""

    class Meta:
        model = SagaRun
        fields: ClassVar[list[str]] = [
            "id",
            "kind",
            "status",
            "tenant_id",
            "deployment_id",
            "created_at",
            "start_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(component_name="Saga")
class OperatorSagaSerializer(SagaSerializer):
    """A saga. Operators also see what it works on, who asked for it, and what went wrong."""

    error = serializers.DictField(
        required=False,
        allow_null=True,
        help_text=f"{_OPERATORS_FIELDS['error']} Operators only.",
    )

    class Meta(SagaSerializer.Meta):
        fields: ClassVar[list[str]] = [*SagaSerializer.Meta.fields, *_OPERATORS_FIELDS]
        read_only_fields = SagaSerializer.Meta.fields
        extra_kwargs = _for_operators(_OPERATORS_FIELDS)


class SagaDetailSerializer(SagaSerializer):
    """A saga and its steps so far, as its tenant sees them."""

    steps = StepSerializer(many=True, read_only=True)

    class Meta(SagaSerializer.Meta):
        fields: ClassVar[list[str]] = [*SagaSerializer.Meta.fields, "steps"]
        read_only_fields = fields


@extend_schema_serializer(component_name="SagaDetail")
class OperatorSagaDetailSerializer(OperatorSagaSerializer):
    """A saga with its ledger. Operators also see what it was started with and what its steps have put."""

    inputs = serializers.DictField(required=False, help_text="What it was started with. Operators only.")
    context = serializers.DictField(  # type: ignore[assignment]  # the column's name, not DRF's context
        required=False, help_text="The outputs of its steps. Operators only."
    )
    steps = OperatorStepSerializer(many=True, read_only=True)

    class Meta(OperatorSagaSerializer.Meta):
        fields: ClassVar[list[str]] = [*OperatorSagaSerializer.Meta.fields, "inputs", "context", "steps"]


class KindSerializer(serializers.Serializer[Any]):
    """A workflow that can be started."""

    kind = serializers.CharField()
    title = serializers.CharField(help_text="In words.")
    description = serializers.CharField(help_text="What its inputs are about; may be empty.")
    deadline_seconds = serializers.IntegerField(help_text="A saga that is older raises an alert.")
    inputs = serializers.DictField(help_text="The JSON Schema (2020-12) of its inputs.")


class KindsSerializer(serializers.Serializer[Any]):
    """Every workflow of this build."""

    results = KindSerializer(many=True)
