"""Storage of the default fleet: volumes, snapshots, backups, images, the registry."""

from collections.abc import Sequence

from simulator.catalog import Json
from simulator.endpoints.registries import REGISTRIES
from simulator.endpoints.snapshots import VOLUME_SNAPSHOTS
from simulator.endpoints.volumes import VOLUMES
from simulator.fleet_builder import FleetBuilder, owner_tags
from simulator.private_images import create_custom_image, create_droplet_image


def add_storage(builder: FleetBuilder) -> None:
    account = builder.account
    add_volume(builder, "shop-data", 100, "nyc3", "acme", owner_tags("acme", "shop"), on="shop-db-01")
    add_volume(builder, "shop-media", 250, "nyc3", "acme", [], on="shop-web-01")
    add_volume(builder, "crm-data", 200, "fra1", "globex", owner_tags("globex", "crm"), on="crm-db-01")
    add_volume(builder, "old-files", 500, "lon1", "initech", [])
    add_volume(builder, "pvc-5d0b1f6a", 20, "sfo3", "initech", ["k8s"], on="reports-pool-x4k2a")
    for name, droplet, age in (
        ("shop-db-before-upgrade", "shop-db-01", 60),
        ("crm-db-monthly", "crm-db-01", 20),
        ("legacy-files-archive", "legacy-files", 300),
    ):
        create_droplet_image(
            account, builder.get_droplet(droplet), "snapshot", name, builder.time_at_age(age)
        )
    for droplet in ("shop-db-01", "crm-db-01"):
        for age in (2, 1):
            name = f"{droplet} {builder.time_at_age(age):%Y-%m-%d}"
            create_droplet_image(
                account, builder.get_droplet(droplet), "backup", name, builder.time_at_age(age)
            )
    add_volume_snapshot(builder, "crm-data-weekly", "crm-data", 31.5, "fra1", owner_tags("globex", "crm"))
    add_volume_snapshot(builder, "old-files-2024", "old-files", 212.0, "lon1", [])
    create_custom_image(
        account,
        "shop-base",
        builder.time_at_age(140),
        regions=["nyc3"],
        size=3.4,
        tags=owner_tags("acme", "shop"),
    )
    create_custom_image(
        account,
        "arcadia-hardened",
        builder.time_at_age(35),
        regions=["nyc3", "fra1", "sfo3"],
        size=2.1,
        tags=[],
    )
    account.collections[REGISTRIES]["arcadia"] = _make_registry(builder)


def add_volume(
    builder: FleetBuilder,
    name: str,
    size: int,
    region: str,
    project: str,
    tags: Sequence[str],
    *,
    on: str = "",
) -> None:
    volume: Json = {
        "id": builder.uuid_for("volume", name),
        "region": region,
        "droplet_ids": [],
        "name": name,
        "description": "",
        "size_gigabytes": size,
        "created_at": builder.timestamp_at_age(150),
        "filesystem_type": "ext4",
        "filesystem_label": name[:16],
        "tags": tags,
    }
    if on:
        # Both sides have the attachment, as in DigitalOcean's answers.
        droplet = builder.get_droplet(on)
        volume["droplet_ids"] = [droplet.id]
        droplet.volume_ids = [*droplet.volume_ids, volume["id"]]
    VOLUMES.add(builder.account, volume, project=project)


def add_volume_snapshot(
    builder: FleetBuilder, name: str, volume: str, size: float, region: str, tags: Sequence[str]
) -> None:
    key = builder.uuid_for("snapshot", name)
    builder.account.collections[VOLUME_SNAPSHOTS][key] = {
        "id": key,
        "name": name,
        "created_at": builder.timestamp_at_age(6),
        "regions": [region],
        "resource_id": builder.uuid_for("volume", volume),
        "resource_type": "volume",
        "min_disk_size": 200,
        "size_gigabytes": size,
        "tags": builder.account.register_tags(tags),
    }


def _make_registry(builder: FleetBuilder) -> Json:
    return {
        "name": "arcadia",
        # With nanoseconds, as DigitalOcean dates some kinds.
        "created_at": builder.timestamp_at_age(320)[:-1] + ".442049222Z",
        "region": "fra1",
        "storage_usage_bytes": 2_939_392_000,
        "storage_usage_bytes_updated_at": builder.timestamp_at_age(1),
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
            "created_at": builder.timestamp_at_age(320),
            "updated_at": builder.timestamp_at_age(320),
        },
    }
