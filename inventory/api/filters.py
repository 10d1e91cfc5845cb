"""Filters of the list of resources."""

from typing import ClassVar

from django.db.models import Q
from django_filters import rest_framework as filters

from arcadia_cloud.kernel.api.filters import FlagFilter, IdFilter
from inventory.models import IS_OURS, IS_UNATTRIBUTED, Resource, ResourceQuerySet
from inventory.queries import named_with
from inventory.values import OURS, UNATTRIBUTED, Kind


class ResourceFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Live resources unless `deleted=true` asks for the tombstoned ones instead."""

    kind = filters.ChoiceFilter(choices=Kind.choices, help_text="The resource's kind.")
    region = filters.CharFilter(help_text="The provider's region, as `syd1`.")
    status = filters.CharFilter(help_text="The provider's status.")
    tag = filters.CharFilter(method="filter_tag", help_text="One of the resource's tags, in any case.")
    project = IdFilter(field_name="project_id", help_text="The project's id.")
    deployment = IdFilter(field_name="deployment_id", help_text="The deployment's id.")
    q = filters.CharFilter(method="filter_name", help_text="A part of the name, in any case.")
    deleted = FlagFilter(method="filter_deleted", help_text="`true`: only what is gone.")

    class Meta:
        model = Resource
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: ResourceQuerySet) -> ResourceQuerySet:
        filtered: ResourceQuerySet = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data["deleted"] else filtered.live()

    def filter_tag(self, queryset: ResourceQuerySet, _name: str, value: str) -> ResourceQuerySet:
        return queryset.tagged(value)

    def filter_name(self, queryset: ResourceQuerySet, _name: str, value: str) -> ResourceQuerySet:
        return queryset.filter(named_with(value))

    def filter_deleted(self, queryset: ResourceQuerySet, _name: str, value: bool) -> ResourceQuerySet:
        return queryset.exclude(deleted_at=None) if value else queryset


class OperatorResourceFilter(ResourceFilter):
    """Operators see every tenant, so they can ask for one."""

    tenant = filters.CharFilter(field_name="tenant_id", help_text="The tenant's id. Operators only.")
    owner = filters.ChoiceFilter(
        choices=[("tenants", "a tenant's"), (UNATTRIBUTED, UNATTRIBUTED), (OURS, OURS)],
        method="filter_owner",
        help_text="`tenants`, `unattributed`, or `ours`: marked as the operator's own. Operators only.",
    )

    def filter_owner(self, queryset: ResourceQuerySet, _name: str, value: str) -> ResourceQuerySet:
        conditions = {UNATTRIBUTED: IS_UNATTRIBUTED, OURS: IS_OURS}
        return queryset.filter(conditions.get(value, Q(tenant_id__isnull=False)))
