"""An operator's assignment of resources, and the re-attribution of what follows from it.

The rules themselves stand in `sql/attribution_rule.sql`; every observation applies them. Here are the other
occasions: an operator's assignment, and the resources that follow another one whose owner has just changed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from arcadia_cloud.kernel.sql import Statement, fetch_one, load
from deployments.models import Deployment
from inventory.attribution.tags import parse, resolve_tenants
from inventory.models import Resource
from inventory.observation.spans import split_spans_at_new_owner
from inventory.values import OPERATORS_RULES, PROVIDER, AttributionRule

_ASSIGN: Final = load(__package__, "assign.sql")
_REATTRIBUTE: Final = load(__package__, "reattribute.sql")
_BATCH: Final = 500
_NAMED: Final = 10  # of those that don't exist


def assign(
    *, resource_pks: Sequence[int], tenant_id: str, deployment_pk: int | None, actor: str, source: str
) -> int:
    """Give resources to a tenant, and to one of its deployments; return how many changed owners.

    It stays until it is cleared, whatever tags and projects name. What follows them (a droplet's snapshots)
    follows at once. Raises InvalidInput without a tenant, NotFound for a deployment that isn't the tenant's
    and for resources that don't exist; then nothing was changed.
    """
    if not tenant_id.strip():
        raise InvalidInput("a tenant is needed", errors={"tenant_id": ["May not be empty."]})
    if (
        deployment_pk is not None
        and not Deployment.objects.filter(pk=deployment_pk, tenant_id=tenant_id).exists()
    ):
        raise NotFound(f"tenant {tenant_id} has no deployment {deployment_pk}")
    owner = {"rule": str(AttributionRule.OPERATOR), "tenant_id": tenant_id, "deployment_id": deployment_pk}
    return _change_owners(_ASSIGN, resource_pks, owner, actor=actor, source=source)


def mark_ours(*, resource_pks: Sequence[int], actor: str, source: str) -> int:
    """Mark resources as the operator's own, as a default VPC is; return how many changed owners.

    They have no tenant and need none, until the mark is cleared as an assignment is. So do what follows them.
    Raises NotFound for resources that don't exist; then nothing was changed.
    """
    ours = {"rule": str(AttributionRule.OURS), "tenant_id": None, "deployment_id": None}
    return _change_owners(_ASSIGN, resource_pks, ours, actor=actor, source=source)


def clear_assignment(*, resource_pks: Sequence[int], actor: str, source: str) -> int:
    """Drop the operator's word on these resources, so that the rules decide again; return how many changed.

    Raises NotFound for resources that don't exist; then nothing was changed.
    """
    assigned = list(
        Resource.objects.filter(pk__in=resource_pks, attributed_by__in=OPERATORS_RULES).values_list(
            "pk", flat=True
        )
    )
    _require_all(resource_pks)
    return _change_owners(_REATTRIBUTE, assigned, {"clear_assignment": True}, actor=actor, source=source)


def reattribute(*, resource_pks: Sequence[int], actor: str, source: str) -> int:
    """Decide the owner of these resources anew, by the rules; return how many changed owners."""
    return _change_owners(_REATTRIBUTE, resource_pks, {"clear_assignment": False}, actor=actor, source=source)


def reattribute_project(*, project_pk: int, actor: str, source: str) -> int:
    """Decide the owner of a project's live resources anew, batch by batch; return how many changed owners.

    For a project that was given to another tenant: the slow kinds would wait a day for their next sync.
    """
    members = Resource.objects.live().filter(project=project_pk).order_by("pk").values_list("pk", flat=True)
    last, changed = 0, 0
    # By key and in batches, each in a transaction of its own: syncs must not wait for a whole project.
    while pks := list(members.filter(pk__gt=last)[:_BATCH]):
        changed += reattribute(resource_pks=pks, actor=actor, source=source)
        last = pks[-1]
    return changed


def _require_all(pks: Sequence[int]) -> None:
    found = set(Resource.objects.filter(pk__in=pks).values_list("pk", flat=True))
    if missing := sorted(set(pks) - found):
        raise NotFound(f"there is no resource {', '.join(map(str, missing[:_NAMED]))}")


def _change_owners(
    statement: Statement, pks: Sequence[int], details: Mapping[str, Any], *, actor: str, source: str
) -> int:
    """Run one decision and everything that follows from it, in one transaction; return how many changed."""
    _require_all(pks)
    parameters = {"provider": PROVIDER, "at": DatabaseClock().now(), "actor": actor, "source": source}
    with transaction.atomic():
        changed = _decide(statement, sorted(pks), {**parameters, **details})
        count = len(changed)
        # A droplet's snapshot follows the droplet, and a volume's snapshot the volume that follows a droplet.
        while followers := _followers_of(changed):
            changed = _decide(_REATTRIBUTE, followers, {**parameters, "clear_assignment": False})
            count += len(changed)
    return count


def _decide(statement: Statement, pks: Sequence[int], parameters: Mapping[str, Any]) -> list[int]:
    """Run one statement; split the spans of those whose owner it changed, and return them."""
    # Read before the statement locks the rows: what an observer changes in between, it attributes itself.
    tags = Resource.objects.filter(pk__in=pks).values_list("pk", "tags")
    owners = {pk: parse(each) for pk, each in tags}
    spelled = resolve_tenants(owners.values())
    named = [
        {"id": pk, **owner._replace(tenant=spelled.get(owner.tenant or "", owner.tenant))._asdict()}
        for pk, owner in owners.items()
    ]
    parameters = {**parameters, "pks": list(pks), "tags": json.dumps(named)}
    changed: list[int] = fetch_one(statement, parameters, into=list) or []
    if changed:
        split_spans_at_new_owner(changed, at=parameters["at"])
    return changed


def _followers_of(pks: Sequence[int]) -> list[int]:
    """Return the live resources whose parent is one of these. Parents form no ring."""
    if not pks:
        return []
    of_parent = Q()
    for kind, provider_id in Resource.objects.filter(pk__in=pks).values_list("kind", "provider_id"):
        of_parent |= Q(parent_kind=kind, parent_id=provider_id)
    followers = Resource.objects.live().filter(of_parent, provider=PROVIDER).order_by("pk")
    return list(followers.values_list("pk", flat=True))
