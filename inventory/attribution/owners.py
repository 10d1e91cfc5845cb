"""The owners that an operator may name: tenants that exist, and their deployments, as `acme/shop`."""

from dataclasses import dataclass
from typing import Final

from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import Deployment
from inventory.models import Project, Resource
from inventory.search import find_tenants

_SEPARATOR: Final = "/"
_FIELD: Final = "owner"


@dataclass(frozen=True, slots=True)
class Owner:
    """A tenant, with one of its deployments or as a whole. `is_new`: nothing here is this tenant's yet."""

    tenant_id: str
    deployment: Deployment | None = None
    is_new: bool = False

    def __str__(self) -> str:
        return str(self.deployment or self.tenant_id)


def resolve_owner(text: str, *, may_be_new: bool) -> Owner:
    """Return the owner that an operator named; with `may_be_new` also a tenant that nothing here knows.

    Raises InvalidInput for a tenant or a deployment that doesn't exist: tenants have no table, so a slip in a
    name would make one.
    """
    text = text.strip()
    # A tenant's id may have the separator, too, so the whole text is tried first.
    if is_known_tenant(text):
        return Owner(text)
    tenant, separator, slug = text.rpartition(_SEPARATOR)
    if separator and is_known_tenant(tenant):
        deployment = Deployment.objects.filter(tenant_id=tenant, slug=slug).first()
        if deployment is None:
            raise _refuse(f"{tenant} has no deployment {slug}.")
        return Owner(tenant, deployment)
    if not may_be_new:
        either = f"{text}, nor {tenant} with a deployment {slug}" if separator else text
        raise _refuse(f"There is no tenant {either}. Choose one that exists, or say that it is new.")
    return Owner(text, is_new=True)


def is_known_tenant(tenant_id: str) -> bool:
    """Return whether a deployment, a project or a resource is, or was, this tenant's."""
    owned = (Deployment.objects.all(), Project.objects.all(), Resource.objects.live_or_gone())
    return any(rows.filter(tenant_id=tenant_id).exists() for rows in owned)


def suggest_owners(text: str, *, most: int) -> list[str]:
    """Return owners that the text may mean: by a part of a tenant's id, or of a slug. Two queries."""
    text = text.strip()
    tenant, separator, slug = text.rpartition(_SEPARATOR)
    tenants = find_tenants(tenant if separator else text, most=most)
    deployments = Deployment.objects.filter(tenant_id__in=tenants).order_by("tenant_id", "slug")
    if separator:
        deployments = deployments.filter(slug__icontains=slug)
    owners = [each for each in tenants if not separator] + [str(row) for row in deployments[:most]]
    return sorted(owners)[: 2 * most]


def _refuse(rule: str) -> InvalidInput:
    return InvalidInput(rule, errors={_FIELD: [rule]})
