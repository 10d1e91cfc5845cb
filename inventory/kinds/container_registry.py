"""Container registries. Their list has no pages, and no answer but a 404 where there is none.

Source: API reference, `GET /v2/registries` and `GET /v2/registries/{name}`, which lacks the subscription.
"""

from arcadia_cloud.digitalocean.pagination import Listing
from arcadia_cloud.digitalocean.records import RegistryRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp
from inventory.values import Kind, Observation


def to_observation(registry: RegistryRecord) -> Observation:
    """Map a registry, known by its name. The price is its subscription's, where that comes with it."""
    tier = registry.subscription.tier if registry.subscription else None
    return Observation(
        provider_id=registry.name,
        name=registry.name,
        region=registry.region,
        attrs={
            "tier_slug": tier.slug if tier else "",
            "storage_usage_bytes": registry.storage_usage_bytes,
        },
        monthly_price_cents=tier.monthly_price_in_cents if tier else None,
        created_at=real_timestamp(registry.created_at),
    )


REGISTRY = KindSpec(
    kind=Kind.REGISTRY,
    listings=(
        Listing("/v2/registries", "registries", RegistryRecord, style="unpaged", missing_is_empty=True),
    ),
    to_observation=to_observation,
    detail=Detail(
        "/v2/registries/{provider_id}", "registry", not_in_detail=("monthly_price_cents", "tier_slug")
    ),
    volatile=("storage_usage_bytes",),
    modes=FULL,
)
