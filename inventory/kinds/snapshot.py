"""Snapshots of droplets and of volumes. Source: API reference, `GET /v2/snapshots`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import SnapshotRecord
from inventory.kinds.spec import (
    FULL,
    Detail,
    KindSpec,
    decimal_text,
    gigabytes,
    real_timestamp,
    single_region,
)
from inventory.values import Kind, Observation


def to_observation(snapshot: SnapshotRecord) -> Observation:
    """Map a snapshot. `size_gb` is what is billed; `droplet_id` or `volume_id` is what it was taken of."""
    taken_of = snapshot.resource_type
    return Observation(
        provider_id=snapshot.id,
        name=snapshot.name,
        region=single_region(snapshot.regions),
        tags=sorted(snapshot.tags),
        attrs={
            "size_gb": decimal_text(snapshot.size_gigabytes),
            "min_disk_gb": snapshot.min_disk_size,
            "regions": sorted(snapshot.regions),
            "resource_type": taken_of,
            "droplet_id": snapshot.resource_id if taken_of == "droplet" else None,
            "volume_id": snapshot.resource_id if taken_of == "volume" else None,
        },
        parent_kind=taken_of,
        parent_id=snapshot.resource_id if taken_of else "",
        created_at=real_timestamp(snapshot.created_at),
        size_gb=gigabytes(snapshot.size_gigabytes),
    )


SNAPSHOT = KindSpec(
    kind=Kind.SNAPSHOT,
    listings=(Listing("/v2/snapshots", "snapshots", SnapshotRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/snapshots/{provider_id}", "snapshot"),
    modes=FULL,
)
