"""An operator's assignment of resources, and the re-attribution of what follows from it.

The rules themselves stand in `sql/attribution_rule.sql`; every observation applies them. Here are the other
occasions: an operator's assignment, and the resources that follow another one whose owner has just changed.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from arcadia_cloud.kernel.database import DatabaseClock, server_binding_cursor
from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from deployments.models import Deployment
from inventory.attribution.tags import parse
from inventory.models import Resource
from inventory.statements import statement
from inventory.values import PROVIDER

_ASSIGN, _REATTRIBUTE = statement("assign.sql"), statement("reattribute.sql")
_BATCH = 500
_RESPAN = (statement("close_previous_owner_spans.sql"), statement("open_new_owner_spans.sql"))


def assign(
    *, resource_pks: Sequence[int], tenant_id: str, deployment_pk: int | None, actor: str, source: str
) -> int:
    """Give resources to a tenant, and to one of its deployments; return how many changed hands.

    It stays until it is cleared, whatever tags and projects say. What follows them (a droplet's snapshots)
    follows at once. Raises InvalidInput without a tenant, NotFound for a deployment that isn't the tenant's
    and for resources that don't exist; then nothing was changed.
    """
    if not tenant_id.strip():
        raise InvalidInput("a tenant is needed", errors={"tenant_id": ["May not be empty."]})
    if deployment_pk is not None and not _is_of(tenant_id, deployment_pk):
        raise NotFound(f"tenant {tenant_id} has no deployment {deployment_pk}")
    owner = {"tenant_id": tenant_id, "deployment_id": deployment_pk}
    return _decide(_ASSIGN, resource_pks, owner, actor=actor, source=source)


def clear_assignment(*, resource_pks: Sequence[int], actor: str, source: str) -> int:
    """Drop the operator's word on these resources, so that the rules decide again; return how many changed.

    Raises NotFound for resources that don't exist; then nothing was changed.
    """
    assigned = list(
        Resource.objects.filter(pk__in=resource_pks, attributed_by="operator").values_list("pk", flat=True)
    )
    _require_all(resource_pks)
    return _decide(_REATTRIBUTE, assigned, {"cleared": True}, actor=actor, source=source)


def reattribute(*, resource_pks: Sequence[int], actor: str, source: str) -> int:
    """Decide anew whose these resources are, by the rules; return how many changed hands."""
    return _decide(_REATTRIBUTE, resource_pks, {"cleared": False}, actor=actor, source=source)


def reattribute_project(*, project_pk: int, actor: str, source: str) -> int:
    """Decide anew whose a project's live resources are, batch by batch; return how many changed hands.

    For a project that was given to another tenant: the slow kinds would wait a day for their next sync.
    """
    last, changed = 0, 0
    while pks := _some_of_project(project_pk, after=last):
        changed += reattribute(resource_pks=pks, actor=actor, source=source)
        last = pks[-1]
    return changed


def _some_of_project(project_pk: int, *, after: int) -> list[int]:
    found = Resource.objects.live().filter(project=project_pk, pk__gt=after).order_by("pk")
    return list(found.values_list("pk", flat=True)[:_BATCH])


def _is_of(tenant_id: str, deployment_pk: int) -> bool:
    return Deployment.objects.filter(pk=deployment_pk, tenant_id=tenant_id).exists()


def _require_all(pks: Sequence[int]) -> None:
    found = set(Resource.objects.filter(pk__in=pks).values_list("pk", flat=True))
    if missing := sorted(set(pks) - found):
        raise NotFound(f"there is no resource {', '.join(map(str, missing[:10]))}")


def _decide(sql: str, pks: Sequence[int], more: dict[str, Any], *, actor: str, source: str) -> int:
    """Run one decision and everything that follows from it, in one transaction."""
    _require_all(pks)
    parameters = {
        **more,
        "provider": PROVIDER,
        "pks": sorted(pks),
        "at": DatabaseClock().now(),
        "actor": actor,
        "source": source,
    }
    with transaction.atomic(), server_binding_cursor() as cursor:
        changed = _changed_hands(cursor, sql, parameters)
        count = len(changed)
        while followers := _followers_of(changed):
            again = {**parameters, "pks": followers, "cleared": False}
            changed = _changed_hands(cursor, _REATTRIBUTE, again)
            count += len(changed)
    return count


def _changed_hands(cursor: CursorWrapper, sql: str, parameters: dict[str, Any]) -> list[int]:
    cursor.execute(sql, {**parameters, "claims": _claims(parameters["pks"])})
    changed: list[int] = cursor.fetchone()[0]
    for statement_ in _RESPAN if changed else ():
        cursor.execute(statement_, {"pks": changed, "at": parameters["at"]})
    return changed


def _claims(pks: Sequence[int]) -> str:
    """What the tags of these resources claim, as the statement takes it."""
    tags = Resource.objects.filter(pk__in=pks).values_list("pk", "tags")
    claims = [(pk, parse(each)) for pk, each in tags]
    return json.dumps(
        [
            {"id": pk, "tag_tenant": claim.tenant, "tag_slug": claim.slug, "tag_objection": claim.objection}
            for pk, claim in claims
        ]
    )


def _followers_of(pks: Sequence[int]) -> list[int]:
    """The live resources whose parent is one of these. Parents form no ring."""
    if not pks:
        return []
    parents = Resource.objects.filter(pk__in=pks).values_list("kind", "provider_id")
    of_parent = Q()
    for kind, provider_id in parents:
        of_parent |= Q(parent_kind=kind, parent_id=provider_id)
    return list(
        Resource.objects.live()
        .filter(of_parent, provider=PROVIDER)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
