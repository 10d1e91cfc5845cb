"""The console's list of deployments, read-only."""

from django.contrib import admin

from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from deployments.models import Deployment
from deployments.states import DeploymentState
from deployments.template_admin import DeploymentTemplateAdmin

__all__ = ["DeploymentAdmin", "DeploymentTemplateAdmin"]

_COLOURS = {
    "trial": "info",
    "active": "success",
    "past_due": "warning",
    "paused": "warning",
    "suspended": "danger",
}


class StateFilter(ChoiceFilter):
    title = "state"
    parameter_name = "state"
    options = DeploymentState.choices


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
