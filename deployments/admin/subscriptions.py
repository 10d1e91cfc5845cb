"""The console's list of subscriptions, live and ended; they are changed on their deployments' pages."""

from typing import Final

from django.contrib import admin
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.filters import ChoiceFilter, TenantFilter
from arcadia_cloud.kernel.console.formatting import row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from deployments.models import Subscription
from deployments.states import SubscriptionStatus

_COLOURS: Final = {"active": "success", "paused": "warning"}


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = SubscriptionStatus.choices


class DeploymentTenantFilter(TenantFilter):
    column = "deployment__tenant_id"


@admin.register(Subscription)
class SubscriptionAdmin(RecordAdmin[Subscription]):
    """Subscriptions, newest first."""

    list_display = (
        "number", "deployment_link", "plan", "status_label", "current_period_start", "current_period_end",
        "trial_ends_at",
    )  # fmt: skip
    list_filter = (StatusFilter, DeploymentTenantFilter)
    list_select_related = ("deployment", "plan_version__plan")
    search_fields = ("deployment__slug__exact", "deployment__tenant_id__exact")
    search_help_text = "A whole slug, or a whole tenant id"
    sortable_by = ()
    fields = (
        ("deployment_link", "status_label"), ("plan", "next_plan"),
        ("current_period_start", "current_period_end"), ("trial_ends_at", "created_at", "cancelled_at"),
    )  # fmt: skip
    readonly_fields = ("deployment_link", "status_label", "plan", "next_plan")

    @display(description="subscription")
    def number(self, subscription: Subscription) -> str:
        return str(subscription.pk)

    @display(description="deployment")
    def deployment_link(self, subscription: Subscription) -> SafeString:
        return row_link("deployments_deployment", subscription.deployment_id, subscription.deployment)

    @display(description="plan")
    def plan(self, subscription: Subscription) -> str:
        return str(subscription.plan_version)

    @display(description="with the next period")
    def next_plan(self, subscription: Subscription) -> str:
        return str(subscription.next_plan_version or "-")

    @display(description="status", label=_COLOURS)
    def status_label(self, subscription: Subscription) -> str:
        return subscription.status
