"""Private networks. Source: API reference, `GET /v2/vpcs`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import VpcRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp
from inventory.values import Kind, Observation


def to_observation(vpc: VpcRecord) -> Observation:
    """Map a private network. It has a URN, but no project takes it; it is free."""
    return Observation(
        provider_id=vpc.id,
        urn=vpc.urn or f"do:vpc:{vpc.id}",
        name=vpc.name,
        region=vpc.region,
        attrs={"ip_range": vpc.ip_range, "default": vpc.default, "description": vpc.description},
        created_at=real_timestamp(vpc.created_at),
    )


VPC = KindSpec(
    kind=Kind.VPC,
    listings=(Listing("/v2/vpcs", "vpcs", VpcRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/vpcs/{provider_id}", "vpc"),
    modes=FULL,
)
