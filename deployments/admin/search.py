"""The global search's deployments."""

from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.search import Hit, HitGroup, SearchTerm, build_group, source
from deployments.models import Deployment

_PLACE: Final = 20
_MOST: Final = 60


@source(_PLACE)
def find_deployments(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find deployments by slug, `tenant/slug`, display name or tenant. One query."""
    if not request.user.has_perm("deployments.view_deployment"):
        return []
    text = term.text
    tenant, _, slug = text.partition("/")
    wanted = Q(slug=slug, tenant_id__iexact=tenant) if slug else Q(tenant_id__iexact=text)
    wanted |= Q(slug__icontains=text) | Q(display_name__icontains=text)
    # Without an order: sorted by one, the database could read the whole book along it for the few that match.
    found = sorted(Deployment.objects.filter(wanted).order_by()[:_MOST], key=lambda row: (row.slug, row.pk))
    hits = [
        Hit(
            title=str(row),
            address=reverse("admin:deployments_deployment_change", args=[row.pk]),
            owner=row.tenant_id,
            detail=", ".join(part for part in (row.display_name, row.get_state_display()) if part),
            is_exact=term.equals(row.slug, str(row), row.display_name),
        )
        for row in found
    ]
    listed = reverse("admin:deployments_deployment_changelist")
    return [build_group("Deployment", hits, all_hits=f"{listed}?{urlencode({'q': text})}")]
