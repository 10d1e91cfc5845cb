"""CDN endpoints in front of Spaces buckets. Source: API reference, `GET /v2/cdn/endpoints`.

DigitalOcean takes five calls in ten seconds there; what is over waits and is asked again.
"""

from typing import Final

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import CdnEndpointRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp
from inventory.values import Kind, Observation

_SPACES: Final = ".digitaloceanspaces.com"


def to_observation(endpoint: CdnEndpointRecord) -> Observation:
    """Map an endpoint. `bucket` is the bucket it hands out, in the region that the origin's address names."""
    bucket, region = "", ""
    if endpoint.origin.endswith(_SPACES):  # from the right: a bucket's name may have dots
        bucket, _, region = endpoint.origin.removesuffix(_SPACES).rpartition(".")
    return Observation(
        provider_id=endpoint.id,
        name=endpoint.custom_domain or endpoint.endpoint or endpoint.origin,
        region=region,
        attrs={
            "origin": endpoint.origin,
            "endpoint": endpoint.endpoint,
            "custom_domain": endpoint.custom_domain,
            "certificate_id": endpoint.certificate_id,
            "ttl": endpoint.ttl,
            "bucket": bucket,
        },
        created_at=real_timestamp(endpoint.created_at),
    )


CDN_ENDPOINT = KindSpec(
    kind=Kind.CDN_ENDPOINT,
    listings=(Listing("/v2/cdn/endpoints", "endpoints", CdnEndpointRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/cdn/endpoints/{provider_id}", "endpoint"),
    modes=FULL,
)
