"""One thing of a tenant for every address that has a parameter: `MAKERS` by the beginning of the route."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from deployments.models import Deployment
from inventory.models import Resource, ResourceEvent
from tests.security.addresses import Endpoint

# Values that no other tenant may ever read, and a price that no tenant may.
CANARY = "canary-of-"
SECRET_PRICE_CENTS = 1_987_654_321


def resource_of(tenant: str) -> Mapping[str, Any]:
    """A resource with history and cost; everything readable in it bears the tenant's canary."""
    now = timezone.now()
    mark = CANARY + tenant
    resource = Resource.objects.create(
        kind="droplet",
        provider_id=mark,
        name=mark,
        region="syd1",
        status="active",
        tenant_id=tenant,
        tags=[mark],
        attrs={"mark": mark},
        deployment=Deployment.objects.get_or_create(tenant_id=tenant, slug=mark)[0],
        monthly_price_cents=SECRET_PRICE_CENTS,
        first_seen_at=now,
        last_seen_at=now,
    )
    ResourceEvent.objects.create(
        resource=resource,
        event_type="discovered",
        changes={"name": [None, mark], "monthly_price_cents": [None, SECRET_PRICE_CENTS]},
        at=now,
        actor=mark,
    )
    return {"pk": resource.pk}


MAKERS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {"api/v1/inventory": resource_of}


def thing_of(endpoint: Endpoint, tenant: str) -> Mapping[str, Any]:
    """Make what the endpoint is about, for that tenant; return the path's values."""
    for prefix, maker in MAKERS.items():
        if endpoint.route.startswith(prefix):
            return maker(tenant)
    assert not endpoint.parameters, f"say in MAKERS how to make what {endpoint.route} is about"
    return {}
