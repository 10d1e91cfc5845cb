"""The global search's sagas."""

from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.search import Hit, HitGroup, SearchTerm, build_group, source
from provisioning.admin.formatting import status_text
from provisioning.models import SagaRun

_PLACE: Final = 40
_MOST: Final = 60


@source(_PLACE)
def find_sagas(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find sagas by number, or by what they work on: `droplet:4711`, or a droplet's id. One query."""
    if not request.user.has_perm("provisioning.view_sagarun"):
        return []
    about = [term.text] if ":" in term.text else [term.text, f"droplet:{term.text}"]
    wanted = Q(subjects__overlap=about)
    if term.number is not None:
        wanted |= Q(pk=term.number)
    found = SagaRun.objects.filter(wanted).defer("inputs", "context").select_related("deployment").order_by()
    hits = [
        Hit(
            title=f"Saga {saga.pk}: {saga.kind}",
            address=reverse("admin:provisioning_sagarun_change", args=[saga.pk]),
            owner=str(saga.deployment or saga.tenant_id or ""),
            detail=f"{status_text(saga)}, {', '.join(saga.subjects)}".rstrip(", "),
            is_exact=saga.pk == term.number,
        )
        for saga in sorted(found[:_MOST], key=lambda saga: -saga.pk)
    ]
    listed = reverse("admin:provisioning_sagarun_changelist")
    return [build_group("Saga", hits, all_hits=f"{listed}?{urlencode({'q': term.text})}")]
