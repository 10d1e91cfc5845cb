"""How resources and their history are shown. What the provider charges is for operators alone."""

from typing import Any, ClassVar

from rest_framework import serializers

from inventory.models import Resource, ResourceEvent
from inventory.values import PROVIDER_CURRENCY

_PRICE = "monthly_price_cents"
# Fields of an event that are the operator's business: what the provider charges, and whose it was before.
_OPERATORS_FIELDS = frozenset(
    {_PRICE, "tenant_id", "attributed_by", "attribution_note", "deployment", "project", "urn"}
)


class ResourceSerializer(serializers.ModelSerializer[Resource]):
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


class OperatorResourceSerializer(ResourceSerializer):
    """A resource as an operator sees it: with what it costs, and which rule decided whose it is."""

    currency = serializers.CharField(default=PROVIDER_CURRENCY, help_text="Of the price: ISO 4217.")

    class Meta(ResourceSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *ResourceSerializer.Meta.fields,
            "provider",
            "urn",
            "attributed_by",
            "attribution_note",
            _PRICE,
            "currency",
            "stale_strike_count",
        ]
        read_only_fields = fields


class ResourceEventSerializer(serializers.ModelSerializer[ResourceEvent]):
    """One entry of a resource's history, without what is the operator's business."""

    changes = serializers.SerializerMethodField(help_text="`{field: [old, new]}`.")

    class Meta:
        model = ResourceEvent
        fields: ClassVar[list[str]] = ["id", "event_type", "changes", "at"]
        read_only_fields = fields

    def get_changes(self, event: ResourceEvent) -> dict[str, list[Any]]:
        changes: dict[str, list[Any]] = event.changes
        return {field: pair for field, pair in changes.items() if field not in _OPERATORS_FIELDS}


class OperatorResourceEventSerializer(serializers.ModelSerializer[ResourceEvent]):
    """One entry of a resource's history, with who and what it came from."""

    changes = serializers.DictField(child=serializers.ListField(), help_text="`{field: [old, new]}`.")

    class Meta:
        model = ResourceEvent
        fields: ClassVar[list[str]] = ["id", "event_type", "changes", "at", "actor", "source"]
        read_only_fields = fields


class TotalSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    monthly_cost_cents = serializers.IntegerField(
        required=False, help_text="In cents of `currency`; operators only."
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
