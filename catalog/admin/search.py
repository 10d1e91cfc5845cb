"""The global search's plans and add-ons. Both tables are short."""

from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from arcadia_cloud.kernel.console.search import MOST_PER_GROUP, Hit, HitGroup, SearchTerm, build_group, source
from catalog.models import Addon, Plan

_PLACE: Final = 60


@source(_PLACE)
def find_in_catalog(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find plans and add-ons by code or name. Two queries."""
    wanted = Q(code__icontains=term.text) | Q(name__icontains=term.text)
    groups = []
    for model, page in ((Plan, "plan"), (Addon, "addon")):
        if not request.user.has_perm(f"catalog.view_{page}"):
            continue
        rows = model.objects.filter(wanted).order_by("code", "pk")[: MOST_PER_GROUP + 1]
        hits = [
            Hit(
                title=row.name,
                address=reverse(f"admin:catalog_{page}_change", args=[row.pk]),
                detail=row.code,
                is_exact=term.equals(row.code, row.name),
            )
            for row in rows
        ]
        listed = reverse(f"admin:catalog_{page}_changelist")
        groups.append(build_group(str(model._meta.verbose_name).capitalize(), hits, all_hits=listed))
    return groups
