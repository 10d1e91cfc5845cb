"""Block storage. Source: API reference, `GET /v2/volumes`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import VolumeRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, decimal_text, gigabytes, real_timestamp
from inventory.values import Kind, Observation


def to_observation(volume: VolumeRecord) -> Observation:
    """Map a volume. It is billed by its size, attached or not; the API has no price."""
    return Observation(
        provider_id=volume.id,
        urn=f"do:volume:{volume.id}",
        name=volume.name,
        region=volume.region.slug,
        status="attached" if volume.droplet_ids else "unattached",
        tags=sorted(volume.tags),
        attrs={
            "size_gb": decimal_text(volume.size_gigabytes),
            "droplet_ids": sorted(map(str, volume.droplet_ids)),
            "description": volume.description,
            "filesystem_type": volume.filesystem_type,
            "filesystem_label": volume.filesystem_label,
        },
        # A volume is attached to one droplet at most.
        parent_kind=str(Kind.DROPLET) if volume.droplet_ids else "",
        parent_id=str(volume.droplet_ids[0]) if volume.droplet_ids else "",
        created_at=real_timestamp(volume.created_at),
        size_gb=gigabytes(volume.size_gigabytes),
    )


VOLUME = KindSpec(
    kind=Kind.VOLUME,
    listings=(Listing("/v2/volumes", "volumes", VolumeRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/volumes/{provider_id}", "volume"),
    modes=FULL,
    in_projects=True,
)
