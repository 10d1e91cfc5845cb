"""The filters of the list of sagas."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.theme import DropdownFilter, TextFilter
from provisioning import registry
from provisioning.models import SagaRun
from provisioning.states import LIVE, SagaStatus

LIVE_SAGAS: Final = "live"
COMPENSATION_INCOMPLETE: Final = "undo_incomplete"


class StatusFilter(DropdownFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [
            (LIVE_SAGAS, "Live"),
            (str(SagaStatus.PENDING), "Pending"),
            (str(SagaStatus.RUNNING), "Running"),
            (str(SagaStatus.WAITING), "Waiting"),
            (str(SagaStatus.COMPENSATING), "Rolling back"),
            (str(SagaStatus.COMPLETED), "Completed"),
            (str(SagaStatus.FAILED), "Dead letter"),
            (str(SagaStatus.ROLLED_BACK), "Rolled back"),
            (COMPENSATION_INCOMPLETE, "Undo incomplete"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SagaRun]) -> QuerySet[SagaRun]:
        wanted = self.value()
        if wanted == LIVE_SAGAS:
            return queryset.filter(status__in=LIVE)
        if wanted == COMPENSATION_INCOMPLETE:
            return queryset.filter(compensation_failures__gt=0)
        return queryset.filter(status=wanted) if wanted else queryset


class KindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [
            (kind, workflow.title or kind.replace("_", " "))
            for kind, workflow in registry.workflows().items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SagaRun]) -> QuerySet[SagaRun]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TenantFilter(TextFilter):
    title = "tenant"
    parameter_name = "tenant"

    def queryset(self, request: HttpRequest, queryset: QuerySet[SagaRun]) -> QuerySet[SagaRun]:
        return queryset.filter(tenant_id=self.value()) if self.value() else queryset
