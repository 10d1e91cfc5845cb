"""Filters of the list of sagas."""

from typing import Any, ClassVar, Final

from django.db.models import Q
from django.http import HttpRequest

from arcadia_cloud.kernel.console.filters import ChoiceFilter, Choices
from provisioning import registry
from provisioning.states import LIVE, LIVE_SAGAS, SagaStatus

COMPENSATION_INCOMPLETE: Final = "undo_incomplete"


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = (
        (LIVE_SAGAS, "Live"),
        (SagaStatus.PENDING, "Pending"),
        (SagaStatus.RUNNING, "Running"),
        (SagaStatus.WAITING, "Waiting"),
        (SagaStatus.COMPENSATING, "Rolling back"),
        (SagaStatus.COMPLETED, "Completed"),
        (SagaStatus.FAILED, "Dead letter"),
        (SagaStatus.ROLLED_BACK, "Rolled back"),
        (COMPENSATION_INCOMPLETE, "Undo incomplete"),
    )
    conditions: ClassVar = {
        LIVE_SAGAS: Q(status__in=LIVE),
        COMPENSATION_INCOMPLETE: Q(compensation_failures__gt=0),
    }


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        workflows = registry.workflows().items()
        return [(kind, workflow.title or kind.replace("_", " ")) for kind, workflow in workflows]
