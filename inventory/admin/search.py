"""The global search's resources, a group for each kind, and projects."""

from itertools import groupby
from operator import attrgetter
from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.search import MOST_PER_GROUP, Hit, HitGroup, SearchTerm, build_group, source
from inventory.models import Project
from inventory.search import FoundResource, find_resources
from inventory.values import kind_label

RESOURCES_PLACE: Final = 30
_PROJECTS_PLACE: Final = 80


@source(RESOURCES_PLACE)
def find_resource_groups(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find resources by id, URN, address, name or tag. Two queries."""
    if not request.user.has_perm("inventory.view_resource"):
        return []
    found = find_resources(term.text, address=term.address)
    # Grouped in the order of the best of each kind: sorting is stable.
    places = {kind: place for place, kind in enumerate(dict.fromkeys(each.resource.kind for each in found))}
    found.sort(key=lambda each: places[each.resource.kind])
    listed = reverse("admin:inventory_resource_changelist")
    return [
        build_group(
            kind_label(kind),
            [_hit(each) for each in members],
            all_hits=f"{listed}?{urlencode({'q': term.text, 'kind': kind})}",
        )
        for kind, members in groupby(found, key=attrgetter("resource.kind"))
    ]


def _hit(found: FoundResource) -> Hit:
    resource = found.resource
    return Hit(
        title=resource.name or resource.provider_id,
        address=reverse("admin:inventory_resource_change", args=[resource.pk]),
        owner=resource.owner_name,
        detail=", ".join(
            part
            for part in (
                "deleted" if resource.deleted_at else resource.status,
                resource.region,
                *(resource.attrs.get("ipv4_public") or ()),
            )
            if part
        ),
        is_exact=found.is_exact,
    )


@source(_PROJECTS_PLACE)
def find_projects(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find projects by name, tenant or the provider's id: there are few. One query."""
    if not request.user.has_perm("inventory.view_project"):
        return []
    wanted = Q(name__icontains=term.text) | Q(provider_id=term.text) | Q(tenant_id__iexact=term.text)
    projects = Project.objects.filter(wanted, deleted_at=None).order_by("name", "pk")[: MOST_PER_GROUP + 1]
    hits = [
        Hit(
            title=project.name,
            address=reverse("admin:inventory_project_change", args=[project.pk]),
            owner=project.tenant_id or "ours",
            detail=project.purpose,
            is_exact=term.equals(project.name, project.provider_id),
        )
        for project in projects
    ]
    listed = reverse("admin:inventory_project_changelist")
    return [build_group("Project", hits, all_hits=f"{listed}?{urlencode({'q': term.text})}")]
