"""Volumes, snapshots, backups, images, the registry."""

from collections.abc import Sequence

from simulator.catalog import Json
from simulator.endpoints.registries import REGISTRIES
from simulator.endpoints.snapshots import VOLUME_SNAPSHOTS
from simulator.endpoints.volumes import VOLUMES
from simulator.fleet_builder import Estate, owner_tags
from simulator.private_images import bring, take


def place(estate: Estate) -> None:
    account = estate.account
    volume(estate, "shop-data", 100, "nyc3", "acme", owner_tags("acme", "shop"), on="shop-db-01")
    volume(estate, "shop-media", 250, "nyc3", "acme", [], on="shop-web-01")
    volume(estate, "crm-data", 200, "fra1", "globex", owner_tags("globex", "crm"), on="crm-db-01")
    volume(estate, "old-files", 500, "lon1", "initech", [])
    volume(estate, "pvc-5d0b1f6a", 20, "sfo3", "initech", ["k8s"], on="reports-pool-x4k2a")
    for name, droplet, age in (
        ("shop-db-before-upgrade", "shop-db-01", 60),
        ("crm-db-monthly", "crm-db-01", 20),
        ("legacy-files-archive", "legacy-files", 300),
    ):
        take(account, estate.droplet(droplet), "snapshot", name, estate.at(age))
    for droplet in ("shop-db-01", "crm-db-01"):
        for age in (2, 1):
            name = f"{droplet} {estate.at(age):%Y-%m-%d}"
            take(account, estate.droplet(droplet), "backup", name, estate.at(age))
    volume_snapshot(estate, "crm-data-weekly", "crm-data", 31.5, "fra1", owner_tags("globex", "crm"))
    volume_snapshot(estate, "old-files-2024", "old-files", 212.0, "lon1", [])
    bring(
        account,
        "shop-base",
        estate.at(140),
        regions=["nyc3"],
        size=3.4,
        tags=owner_tags("acme", "shop"),
    )
    bring(account, "arcadia-hardened", estate.at(35), regions=["nyc3", "fra1", "sfo3"], size=2.1, tags=[])
    account.held[REGISTRIES]["arcadia"] = _registry(estate)


def volume(
    estate: Estate, name: str, size: int, region: str, project: str, tags: Sequence[str], *, on: str = ""
) -> None:
    volume: Json = {
        "id": estate.id_of("volume", name),
        "region": region,
        "droplet_ids": [],
        "name": name,
        "description": "",
        "size_gigabytes": size,
        "created_at": estate.made(150),
        "filesystem_type": "ext4",
        "filesystem_label": name[:16],
        "tags": tags,
    }
    if on:
        droplet = estate.droplet(on)
        volume["droplet_ids"] = [droplet.id]
        droplet.volume_ids = [*droplet.volume_ids, volume["id"]]
    VOLUMES.add(estate.account, volume, project=project)


def volume_snapshot(
    estate: Estate, name: str, volume: str, size: float, region: str, tags: Sequence[str]
) -> None:
    key = estate.id_of("snapshot", name)
    estate.account.held[VOLUME_SNAPSHOTS][key] = {
        "id": key,
        "name": name,
        "created_at": estate.made(6),
        "regions": [region],
        "resource_id": estate.id_of("volume", volume),
        "resource_type": "volume",
        "min_disk_size": 200,
        "size_gigabytes": size,
        "tags": estate.account.canonical_tags(tags),
    }


def _registry(estate: Estate) -> Json:
    return {
        "name": "arcadia",
        "created_at": estate.made(320)[:-1] + ".442049222Z",
        "region": "fra1",
        "storage_usage_bytes": 2_939_392_000,
        "storage_usage_bytes_updated_at": estate.made(1),
        "subscription": {
            "tier": {
                "name": "Basic",
                "slug": "basic",
                "included_repositories": 5,
                "included_storage_bytes": 5_368_709_120,
                "allow_storage_overage": True,
                "included_bandwidth_bytes": 5_368_709_120,
                "monthly_price_in_cents": 500,
                "storage_overage_price_in_cents": 2,
            },
            "created_at": estate.made(320),
            "updated_at": estate.made(320),
        },
    }
