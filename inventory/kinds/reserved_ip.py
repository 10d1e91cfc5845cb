"""Reserved IPs, once called floating. Source: API reference, `GET /v2/reserved_ips`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import ReservedIpRecord
from inventory.kinds.spec import FULL, Detail, KindSpec
from inventory.values import Kind, Observation


def to_observation(reserved: ReservedIpRecord) -> Observation:
    """Map a reserved IP. `droplet_id` is the droplet that has it; without one it costs."""
    holder = reserved.droplet.id if reserved.droplet else None
    status = "unassigned" if holder is None else "assigned"
    return Observation(
        provider_id=reserved.ip,
        urn=f"do:reservedip:{reserved.ip}",
        name=reserved.ip,
        region=reserved.region.slug if reserved.region else "",
        status=status,
        attrs={"droplet_id": None if holder is None else str(holder), "locked": bool(reserved.locked)},
        sku=status,
    )


RESERVED_IP = KindSpec(
    kind=Kind.RESERVED_IP,
    listings=(Listing("/v2/reserved_ips", "reserved_ips", ReservedIpRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/reserved_ips/{provider_id}", "reserved_ip"),
    volatile=("locked",),
    modes=FULL,
    in_projects=True,
    ids_recur=True,
    # A project may list it under the name from before the renaming.
    other_urns=("do:floatingip:{provider_id}",),
)
