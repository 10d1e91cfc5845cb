"""Managed databases. Their list has no pages and no total. Source: API reference, `GET /v2/databases`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import DatabaseRecord
from inventory.kinds.spec import FAST, Detail, KindSpec, real_timestamp
from inventory.values import Kind, Observation


def to_observation(database: DatabaseRecord) -> Observation:
    """Map a database cluster. It runs unless it is still being made; the API has no price."""
    window = database.maintenance_window
    return Observation(
        provider_id=database.id,
        urn=f"do:dbaas:{database.id}",
        name=database.name,
        region=database.region,
        status=database.status,
        tags=sorted(database.tags),
        attrs={
            "engine": database.engine,
            "version": database.version,
            "size_slug": database.size,
            "num_nodes": database.num_nodes,
            "storage_mib": database.storage_size_mib,
            "vpc_uuid": database.private_network_uuid,
            "maintenance_window": {"day": window.day, "hour": window.hour} if window else None,
        },
        created_at=real_timestamp(database.created_at),
        active=database.status != "creating",
        sku=f"{database.size} x{database.num_nodes}",
    )


DATABASE = KindSpec(
    kind=Kind.DATABASE,
    listings=(Listing("/v2/databases", "databases", DatabaseRecord, style="unpaged"),),
    to_observation=to_observation,
    detail=Detail("/v2/databases/{provider_id}", "database"),
    modes=FAST,
    in_projects=True,
)
