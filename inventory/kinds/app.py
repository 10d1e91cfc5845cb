"""Apps of the App Platform. Source: API reference, `GET /v2/apps`."""

from typing import Any

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import AppRecord, AppSpec
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp, sorted_json
from inventory.values import Kind, Observation


def to_observation(app: AppRecord) -> Observation:
    """Map an app. Its status is the phase of the deployment it serves; the list has no price."""
    status = app.active_deployment.phase.lower() if app.active_deployment else ""
    return Observation(
        provider_id=app.id,
        urn=f"do:app:{app.id}",
        name=app.spec.name,
        region=app.region.slug if app.region else "",
        status=status,
        attrs={
            "tier_slug": app.tier_slug,
            "default_ingress": app.default_ingress,
            "live_url": app.live_url,
            "domains": sorted(domain.domain for domain in app.spec.domains),
            "components": _components(app.spec),
        },
        created_at=real_timestamp(app.created_at),
        # Without one nothing of it runs: it is being built, or its first build failed.
        active=app.active_deployment is not None,
    )


def _components(spec: AppSpec) -> list[dict[str, Any]]:
    parts = {
        "service": spec.services,
        "worker": spec.workers,
        "job": spec.jobs,
        "static_site": spec.static_sites,
        "function": spec.functions,
    }
    return sorted_json(
        {
            "type": part,
            "name": component.name,
            "size_slug": component.instance_size_slug,
            "count": component.instance_count,
        }
        for part, components in parts.items()
        for component in components
    )


APP = KindSpec(
    kind=Kind.APP,
    listings=(Listing("/v2/apps", "apps", AppRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/apps/{provider_id}", "app"),
    modes=FULL,
    in_projects=True,
)
