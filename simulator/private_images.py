"""The private images of an account: snapshots, backups, custom images."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from simulator.account import Account
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.droplet import Droplet

_USED_OF_A_DISK = 0.11


def create_droplet_image(
    account: Account, droplet: Droplet, kind: Literal["snapshot", "backup"], name: str, at: datetime
) -> int:
    """Add an image of the droplet as it is, without its tags; returns its id, which the droplet lists."""
    size = round(droplet.disk * _USED_OF_A_DISK, 2)
    image_id = _store_image(
        account, kind, name, at, regions=[droplet.region], disk=droplet.disk, size=size, tags=[]
    )
    account.source_droplet_ids[image_id] = droplet.id
    if kind == "snapshot":
        droplet.snapshot_ids = [*droplet.snapshot_ids, image_id]
    else:
        droplet.backup_ids = [*droplet.backup_ids, image_id]
    return image_id


def create_custom_image(
    account: Account, name: str, at: datetime, *, regions: list[str], size: float, tags: Sequence[str]
) -> int:
    """Add a custom image; returns its id. `size` is in GB."""
    known = account.register_tags(tags)
    return _store_image(account, "custom", name, at, regions=regions, disk=20, size=size, tags=known)


def _store_image(
    account: Account,
    kind: str,
    name: str,
    at: datetime,
    *,
    regions: list[str],
    disk: int,
    size: float,
    tags: list[str],
) -> int:
    image_id = account.new_image_id()
    body: Json = {
        "id": image_id,
        "name": name,
        "distribution": "Ubuntu",
        "slug": None,
        "public": False,
        "regions": regions,
        "created_at": format_time(at),
        "min_disk_size": disk,
        "type": kind,
        "size_gigabytes": size,
        "description": "",
        "tags": tags,
        "status": "available",
        "error_message": "",
    }
    account.images[image_id] = body
    return image_id
