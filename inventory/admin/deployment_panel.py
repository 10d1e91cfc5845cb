"""A deployment's resources, as a card of its page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from deployments.deployment_panels import panel
from deployments.models import Deployment
from inventory.queries import count_live_by_deployment


@panel
def draw_resources(request: HttpRequest, deployment: Deployment) -> SafeString:
    """Show how many live resources it has, with the way to them; nothing to whom may not see them."""
    if not request.user.has_perm("inventory.view_resource"):
        return SafeString("")
    resources = reverse("admin:inventory_resource_changelist")
    return render_to_string(
        "inventory/deployment_panel.html",
        {
            "count": count_live_by_deployment([deployment.pk]).get(deployment.pk, 0),
            "address": f"{resources}?deployment__id__exact={deployment.pk}",
        },
    )
