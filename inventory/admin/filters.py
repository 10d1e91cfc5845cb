"""Filters of inventory's lists. None of them reads the table to offer its choices."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.theme import DropdownFilter, TextFilter
from inventory.admin.formatting import NOTHING
from inventory.kinds import registry
from inventory.models import IS_UNATTRIBUTED, LIVE_OR_GONE, Resource, SyncRun
from inventory.values import PROJECT_RUNS, Kind, RunOutcome, kind_label

RUNNING = "running"  # RunOutcome.RUNNING is empty, which in a query string means "any"

UNATTRIBUTED = "unattributed"

Choices = Sequence[tuple[str, str]]


class LifeFilter(DropdownFilter):
    """Live rows unless others are asked for."""

    title = "life"
    parameter_name = "life"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("live", "Live"), ("deleted", "Deleted"), ("all", "All")]

    def value(self) -> str:
        return super().value() or "live"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "all":
            return queryset.filter(LIVE_OR_GONE)
        return queryset.filter(deleted_at__isnull=self.value() == "live")


class KindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(value), label) for value, label in Kind.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class RegionFilter(TextFilter):
    title = "region"
    parameter_name = "region"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        """Take NOTHING for those without a region: an empty value means "any"."""
        region = "" if self.value() == NOTHING else self.value()
        return queryset.filter(region=region) if self.value() else queryset


class StatusFilter(TextFilter):
    title = "status"
    parameter_name = "status"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class TenantFilter(TextFilter):
    title = "tenant"
    parameter_name = "tenant"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(tenant_id=self.value()) if self.value() else queryset


class TagFilter(TextFilter):
    title = "tag"
    parameter_name = "tag"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class OwnerFilter(DropdownFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("tenants", "A tenant's"), (UNATTRIBUTED, "Unattributed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        if self.value() == "tenants":
            return queryset.filter(tenant_id__isnull=False)
        return queryset.filter(IS_UNATTRIBUTED) if self.value() == UNATTRIBUTED else queryset


class OutcomeFilter(DropdownFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(value) or RUNNING, label) for value, label in RunOutcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
        wanted = RunOutcome.RUNNING if self.value() == RUNNING else self.value()
        return queryset if wanted is None else queryset.filter(outcome=wanted)


class RunKindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            (kind, kind_label(kind))
            for kind in (PROJECT_RUNS, *(str(entry.kind) for entry in registry.SPECS))
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
        return queryset.filter(kind=self.value()) if self.value() else queryset
