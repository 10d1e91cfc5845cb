"""Filters of inventory's lists. None of them reads the table to offer its choices."""

from typing import Any, ClassVar, Final, cast

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.filters import ChoiceFilter, Choices, ExactTextFilter, StateFilter
from arcadia_cloud.kernel.console.formatting import NOTHING
from arcadia_cloud.kernel.console.theme import TextFilter
from inventory.kinds import registry
from inventory.models import IS_OURS, IS_UNATTRIBUTED, LIVE_OR_GONE, ResourceQuerySet
from inventory.values import OURS, OWNER_PARAMETER, PROJECT_RUNS, UNATTRIBUTED, Kind, RunOutcome, kind_label

RUNNING: Final = "running"  # RunOutcome.RUNNING is empty, which in a query string means "any"


class LifeFilter(StateFilter):
    """Live rows unless others are asked for."""

    title = "life"
    parameter_name = "life"
    default = "live"
    options = (("live", "Live"), ("deleted", "Deleted"), ("all", "All"))
    conditions: ClassVar = {
        "live": Q(deleted_at__isnull=True),
        "deleted": Q(deleted_at__isnull=False),
        "all": LIVE_OR_GONE,
    }


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = Kind.choices


class RegionFilter(TextFilter):
    title = "region"
    parameter_name = "region"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Find those without a region by NOTHING: an empty value means "any"."""
        region = "" if self.value() == NOTHING else self.value()
        return queryset.filter(region=region) if self.value() else queryset


class StatusFilter(ExactTextFilter):
    title = "status"
    parameter_name = "status"


class TagFilter(TextFilter):
    title = "tag"
    parameter_name = "tag"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        tag = self.value()
        return cast("ResourceQuerySet", queryset).tagged(tag) if tag else queryset


class OwnerFilter(ChoiceFilter):
    title = "owner"
    parameter_name = OWNER_PARAMETER
    options = (("tenants", "A tenant's"), (UNATTRIBUTED, "Unattributed"), (OURS, "Ours"))
    conditions: ClassVar = {
        "tenants": Q(tenant_id__isnull=False),
        UNATTRIBUTED: IS_UNATTRIBUTED,
        OURS: IS_OURS,
    }


class OutcomeFilter(ChoiceFilter):
    title = "outcome"
    parameter_name = "outcome"
    options = tuple((str(value) or RUNNING, label) for value, label in RunOutcome.choices)
    conditions: ClassVar = {RUNNING: Q(outcome=RunOutcome.RUNNING)}


class RunKindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        kinds = (PROJECT_RUNS, *(str(spec.kind) for spec in registry.SPECS))
        return [(kind, kind_label(kind)) for kind in kinds]
