"""The console's list of deployments, and a page for each with its subscription and history."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.console.filters import ChoiceFilter, TenantFilter
from arcadia_cloud.kernel.console.formatting import or_nothing
from arcadia_cloud.kernel.console.status_label import status_label
from arcadia_cloud.kernel.console.theme import display
from deployments.admin.actions import DeploymentActionsAdmin
from deployments.deployment_panels import panels_of
from deployments.models import Deployment
from deployments.queries import get_subscription_for_deployment, latest_events, quote_fees
from deployments.states import DeploymentState

STATE_COLOURS: Final = {
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
class DeploymentAdmin(DeploymentActionsAdmin):
    """Deployments, newest first."""

    change_form_template = "deployments/deployment.html"
    list_display = ("slug", "tenant_id", "display_name", "region", "state_label", "created_at")
    list_filter = (StateFilter, TenantFilter)
    search_fields = ("slug", "tenant_id__exact", "display_name")
    search_help_text = "Slug, name, or a whole tenant id"
    sortable_by = ()
    fields = (
        ("slug", "tenant_id"), ("display_name", "region"), ("llm_mode", "template"),
        ("billing_actions", "created_at"),
    )  # fmt: skip
    readonly_fields = ("template", "billing_actions", "created_at")

    def extra_context(self, request: HttpRequest, row: Deployment) -> dict[str, Any]:
        """Add its state with the moves that fit, its subscription, its history, the cards of other apps."""
        subscription = get_subscription_for_deployment(row.pk)
        return {
            "state": status_label(row.state, STATE_COLOURS),
            "subscription": subscription,
            "fees": quote_fees(subscription) if subscription and subscription.is_live else None,
            "today": timezone.now().date(),
            "events": list(latest_events(row)),
            "panels": panels_of(request, row),
        }

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, deployment: Deployment) -> str:
        return deployment.state

    @display(description="template")
    def template(self, deployment: Deployment) -> str:
        if deployment.template_code is None:
            return or_nothing(None)
        return f"{deployment.template_code}/{deployment.template_version}"

    @display(description="automatic billing actions")
    def billing_actions(self, deployment: Deployment) -> str:
        return "suspended" if deployment.billing_action_suspended else "allowed"
