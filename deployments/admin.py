"""The console's list of deployments, read-only."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DropdownFilter, display
from deployments.models import Deployment
from deployments.states import DeploymentState

_COLOURS = {
    "trial": "info",
    "active": "success",
    "past_due": "warning",
    "paused": "warning",
    "suspended": "danger",
}


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in DeploymentState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deployment]) -> QuerySet[Deployment]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Deployment)
class DeploymentAdmin(RecordAdmin[Deployment]):
    """Deployments, newest first."""

    list_display = ("slug", "tenant_id", "display_name", "region", "state_label", "created_at")
    list_filter = (StateFilter,)
    search_fields = ("slug", "tenant_id__exact", "display_name")
    search_help_text = "Slug, name, or a whole tenant id"
    sortable_by = ()
    fields = ("slug", "tenant_id", "display_name", "region", "state_label", "created_at")
    readonly_fields = ("state_label",)

    @display(description="state", label=_COLOURS)
    def state_label(self, deployment: Deployment) -> str:
        return deployment.state
