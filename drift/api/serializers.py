"""Drift as the API shows it, and the bodies of what operators do to it."""

from typing import Any, ClassVar, Final

from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import RowSerializer, StrictSerializer
from drift.models import Drift
from drift.values import DriftAction
from provisioning.queries import reason_against

MOST_AT_ONCE: Final = 500
_LONGEST_NOTE: Final = 500
_CAUSE: Final = "What was seen: `cause` of the row. 409 where its values are others by now."


class DriftSerializer(RowSerializer[Drift]):
    """A field of a resource that differs, or differed, from its desired state."""

    resource_id = serializers.IntegerField(help_text="The resource's id in the inventory.")
    resource_name = serializers.CharField(source="resource.name")
    provider_id = serializers.CharField(source="resource.provider_id", help_text="Its id at DigitalOcean.")
    tenant_id = serializers.CharField(source="resource.tenant_id", allow_null=True)
    expected = serializers.JSONField(help_text="The desired value.")
    actual = serializers.JSONField(help_text="The live value.")
    revert_saga_id = serializers.IntegerField(
        allow_null=True, help_text="The last saga that was to put the field back."
    )
    refusal = serializers.SerializerMethodField(
        help_text="Why DigitalOcean can't put the field back; empty where it can."
    )

    class Meta:
        model = Drift
        fields: ClassVar[list[str]] = [
            "id", "resource_id", "resource_name", "provider_id", "tenant_id", "kind", "field", "expected",
            "actual", "cause", "status", "detected_at", "last_seen_at", "resolved_at", "resolved_by", "note",
            "revert_saga_id", "refusal",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "cause": {"help_text": "The same for rows of the same kind, field and values."},
        }

    def get_refusal(self, drift: Drift) -> str:
        return reason_against(drift.kind, drift.field)


class DriftResolveSerializer(StrictSerializer):
    """What an operator has seen of a row, and a note for its history."""

    cause = serializers.CharField(default=None, max_length=32, allow_null=True, help_text=_CAUSE)
    note = serializers.CharField(default="", max_length=_LONGEST_NOTE, allow_blank=True)


class DriftIgnoreSerializer(StrictSerializer):
    """The reason of an ignore rule, and its end."""

    cause = serializers.CharField(default=None, max_length=32, allow_null=True, help_text=_CAUSE)
    reason = serializers.CharField(max_length=_LONGEST_NOTE)
    expires_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="The row is open again then; null: it stays ignored."
    )


class DriftBulkSerializer(StrictSerializer):
    """An action on many rows."""

    action = serializers.ChoiceField([str(action) for action in DriftAction])
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1), min_length=1, max_length=MOST_AT_ONCE
    )
    reason = serializers.CharField(
        default="",
        max_length=_LONGEST_NOTE,
        allow_blank=True,
        help_text="Of `ignore`, where it must be given; of the others it is the rows' note.",
    )
    expires_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="Of `ignore`: the rows are open again then."
    )


class DriftOutcomeSerializer(serializers.Serializer[Any]):
    """The outcome of a bulk action on one id."""

    id = serializers.IntegerField(source="pk")
    status = serializers.IntegerField(help_text="200, or the status of its refusal.")
    code = serializers.CharField(help_text="The refusal's; empty where it was done.")
    detail = serializers.CharField(help_text="The refusal in words; empty where it was done.")
    saga_id = serializers.IntegerField(allow_null=True, help_text="The saga of a revert.")


class DriftBulkAnswerSerializer(serializers.Serializer[Any]):
    """An outcome for each id, in the order of the request."""

    results = DriftOutcomeSerializer(many=True)


class DriftCoverageSerializer(serializers.Serializer[Any]):
    """The live resources of a kind, and those of them that have a desired state."""

    kind = serializers.CharField()
    live = serializers.IntegerField()
    covered = serializers.IntegerField()
    percent = serializers.IntegerField(help_text="Rounded down: 100 means all.")


class DriftSummarySerializer(serializers.Serializer[Any]):
    """The counts of the inbox, and the coverage of every kind that has a live resource."""

    open = serializers.IntegerField()
    ignored = serializers.IntegerField()
    reverting = serializers.IntegerField(help_text="Of the open ones, those that a saga puts back now.")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="The oldest open row's detection.")
    by_kind = serializers.DictField(child=serializers.IntegerField(), help_text="Open rows by kind.")
    by_field = serializers.DictField(child=serializers.IntegerField(), help_text="Open rows by field.")
    coverage = DriftCoverageSerializer(many=True)
