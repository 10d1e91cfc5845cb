"""Our own images. DigitalOcean lists snapshots, backups and custom images together as the private ones.

Snapshots are taken from their own list, which also has those of volumes. Source: API reference,
`GET /v2/images`.
"""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import ImageRecord
from inventory.kinds.spec import (
    SLOW,
    Detail,
    KindSpec,
    ParentList,
    decimal_text,
    gigabytes,
    real_timestamp,
    single_region,
)
from inventory.values import Kind, Observation

_PRIVATE = Listing("/v2/images", "images", ImageRecord, params={"private": "true"})
_PATH = "/v2/images/{provider_id}"


def to_observation(image: ImageRecord) -> Observation:
    """Map a custom image or a backup. `size_gb` is what is billed.

    A backup doesn't name its droplet: the droplet names it, in `backup_ids`.
    """
    return Observation(
        provider_id=str(image.id),
        name=image.name,
        region=single_region(image.regions),
        status=image.status.lower(),
        tags=sorted(image.tags),
        attrs={
            "size_gb": decimal_text(image.size_gigabytes),
            "min_disk_gb": image.min_disk_size,
            "regions": sorted(image.regions),
            "distribution": image.distribution,
        },
        created_at=real_timestamp(image.created_at),
        size_gb=gigabytes(image.size_gigabytes),
    )


IMAGE = KindSpec(
    kind=Kind.IMAGE,
    listings=(_PRIVATE,),
    # Out of a list that holds three kinds; its total is of all of them.
    wanted=lambda image: image.type == "custom",
    to_observation=to_observation,
    detail=Detail(_PATH, "image"),
    modes=SLOW,
)
DROPLET_BACKUP = KindSpec(
    kind=Kind.DROPLET_BACKUP,
    listings=(_PRIVATE,),
    parent_list=ParentList(Kind.DROPLET, "backup_ids"),
    wanted=lambda image: image.type == "backup",
    to_observation=to_observation,
    detail=Detail(_PATH, "image", not_in_detail=("parent_kind", "parent_id")),
    modes=SLOW,
)
