"""Resources and their history as JSON. The provider's prices are for operators alone."""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from arcadia_cloud.kernel.api.serializers import RowSerializer
from inventory.models import Resource, ResourceEvent
from inventory.queries import changes_for_tenant
from inventory.values import PROVIDER_CURRENCY

_OPERATORS_FIELDS: Final = {
    "provider": "Who runs it.",
    "urn": "The provider's name for it among all kinds.",
    "attributed_by": "The rule that decided its owner; `ours`: marked as the operator's own; empty: none.",
    "attribution_note": "Why no rule could decide, or what a tag asked for in vain.",
    "monthly_price_cents": "What the provider charges a month, in cents of `currency`; null: unknown.",
    "stale_strike_count": "How often in a row it was missing from a complete list; the third deletes it.",
}


def _for_operators(fields: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Make extra_kwargs: not required, since the one schema covers tenants' answers too."""
    return {
        name: {"required": False, "help_text": f"{words} Operators only."} for name, words in fields.items()
    }


class ResourceSerializer(RowSerializer[Resource]):
    """A resource as its tenant sees it."""

    project = serializers.CharField(
        source="project.name", default=None, allow_null=True, help_text="The project's name."
    )
    deployment = serializers.CharField(
        source="deployment.slug", default=None, allow_null=True, help_text="The deployment's slug."
    )

    class Meta:
        model = Resource
        fields: ClassVar[list[str]] = [
            "id",
            "kind",
            "provider_id",
            "name",
            "region",
            "status",
            "tenant_id",
            "deployment",
            "deployment_id",
            "project",
            "project_id",
            "tags",
            "attrs",
            "provider_created_at",
            "first_seen_at",
            "last_seen_at",
            "deleted_at",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Resource) -> dict[str, Any]:
        """Show a tenant a project of its own alone: another one's name may be another tenant's."""
        shown: dict[str, Any] = super().to_representation(instance)
        if instance.project is not None and instance.project.tenant_id != instance.tenant_id:
            shown |= {"project": None, "project_id": None}
        return shown


@extend_schema_serializer(component_name="Resource")
class OperatorResourceSerializer(ResourceSerializer):
    """A resource. Operators also see what it costs, and which rule decided its owner."""

    currency = serializers.CharField(
        default=PROVIDER_CURRENCY, help_text="Of the price: ISO 4217. Operators only."
    )

    class Meta(ResourceSerializer.Meta):
        fields: ClassVar[list[str]] = [*ResourceSerializer.Meta.fields, *_OPERATORS_FIELDS, "currency"]
        read_only_fields = ResourceSerializer.Meta.fields
        extra_kwargs = _for_operators(_OPERATORS_FIELDS)

    def to_representation(self, instance: Resource) -> dict[str, Any]:
        """Show any project, another tenant's too."""
        return super(ResourceSerializer, self).to_representation(instance)


class ResourceEventSerializer(RowSerializer[ResourceEvent]):
    """One entry of a resource's history, without what is the operator's business."""

    changes = serializers.SerializerMethodField(help_text="`{field: [old, new]}`.")

    class Meta:
        model = ResourceEvent
        fields: ClassVar[list[str]] = ["id", "event_type", "changes", "at"]
        read_only_fields = fields

    def get_changes(self, event: ResourceEvent) -> dict[str, list[Any]]:
        return changes_for_tenant(event.changes)


@extend_schema_serializer(component_name="ResourceEvent")
class OperatorResourceEventSerializer(RowSerializer[ResourceEvent]):
    """One entry of a resource's history. Operators also see who and what it came from, and every change."""

    changes = serializers.DictField(
        child=serializers.ListField(), read_only=True, help_text="`{field: [old, new]}`."
    )

    class Meta:
        model = ResourceEvent
        fields: ClassVar[list[str]] = [*ResourceEventSerializer.Meta.fields, "actor", "source"]
        read_only_fields = ResourceEventSerializer.Meta.fields
        extra_kwargs = _for_operators(
            {"actor": "Who did it.", "source": "The run, request or saga it came from, as `run:12`."}
        )


class TotalSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    monthly_cost_cents = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="In cents of `currency`; null where no price is known. Operators only.",
    )
    unpriced = serializers.IntegerField(
        required=False,
        help_text="Resources without a known price, which are in no cost: it is a least sum. Operators only.",
    )


class ByKindSerializer(TotalSerializer):
    kind = serializers.CharField()


class ByRegionSerializer(TotalSerializer):
    region = serializers.CharField(allow_blank=True)


class ByStatusSerializer(TotalSerializer):
    status = serializers.CharField(allow_blank=True)


class ByTenantSerializer(TotalSerializer):
    tenant_id = serializers.CharField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    """Live resources counted by each of their dimensions."""

    total = TotalSerializer()
    by_kind = ByKindSerializer(many=True)
    by_region = ByRegionSerializer(many=True)
    by_status = ByStatusSerializer(many=True)
    currency = serializers.CharField(required=False, help_text="Of the costs: ISO 4217. Operators only.")
    by_tenant = ByTenantSerializer(many=True, required=False, help_text="Operators only.")
