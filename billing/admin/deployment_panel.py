"""The cost of a deployment, as a card of its page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.formatting import at_least
from billing.admin.margin_formatting import cents
from billing.queries import list_months_of_deployment
from deployments.deployment_panels import panel
from deployments.models import Deployment


@panel
def draw_cost(request: HttpRequest, deployment: Deployment) -> SafeString:
    """Show what it cost and earned this month and the last; nothing to whom may not see costs."""
    if not request.user.has_perm("billing.view_dailycost"):
        return SafeString("")
    page = reverse("admin:billing_margin_deployment", args=[deployment.pk])
    last, running = list_months_of_deployment(deployment.pk, at=timezone.now(), number=2)
    months = [
        (
            f"{each.month.start:%B %Y}{note}",
            at_least(cents(each.cost if each.is_stored else None), each.unpriced),
            cents(each.revenue if each.is_stored else None),
            f"{page}?period={each.month.start:%Y-%m}",
        )
        for each, note in ((running, ", to date"), (last, ""))
    ]
    return render_to_string(
        "billing/deployment_panel.html", {"months": months, "missing": running.missing or last.missing}
    )
