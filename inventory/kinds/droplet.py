"""Droplets, GPU droplets too. Source: API reference, `GET /v2/droplets`."""

import re
from typing import Any, Final

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import Address, DropletRecord
from inventory.kinds.spec import FAST, Detail, KindSpec, cents
from inventory.values import Kind, Observation

# The tag that DigitalOcean puts on a cluster's workers; "k8s:worker" and others look alike.
_CLUSTER: Final = re.compile(r"k8s:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")


def to_observation(droplet: DropletRecord) -> Observation:
    """Map a droplet. It is billed and metered while it exists; `active`: it runs.

    A Kubernetes cluster's worker has the cluster's id as `cluster_id`, by the tag that it was given.
    """
    attrs = _attrs(droplet)
    cluster = attrs.get("cluster_id", "")
    return Observation(
        provider_id=str(droplet.id),
        urn=f"do:droplet:{droplet.id}",
        name=droplet.name,
        region=droplet.region.slug,
        status=droplet.status,
        tags=sorted(droplet.tags),
        attrs=attrs,
        parent_kind=str(Kind.KUBERNETES_CLUSTER) if cluster else "",
        parent_id=cluster,
        monthly_price_cents=cents(droplet.size.price_monthly),
        created_at=droplet.created_at,
        active=droplet.status == "active",
        sku=droplet.size_slug,
    )


def _attrs(droplet: DropletRecord) -> dict[str, Any]:
    image, window = droplet.image, droplet.next_backup_window
    attrs = {
        "size_slug": droplet.size_slug,
        "memory_mb": droplet.memory,
        "vcpus": droplet.vcpus,
        "disk_gb": droplet.disk,
        "image": {"id": image.id, "slug": image.slug, "name": image.name} if image else None,
        "vpc_uuid": droplet.vpc_uuid,
        # Sorted, as every list here: the provider keeps no order, and another order would be an event.
        "features": sorted(droplet.features),
        "volume_ids": sorted(droplet.volume_ids),
        "snapshot_ids": sorted(droplet.snapshot_ids),
        "backup_ids": sorted(droplet.backup_ids),
        "ipv4_public": _addresses(droplet.networks.v4, "public"),
        "ipv4_private": _addresses(droplet.networks.v4, "private"),
        "ipv6_public": _addresses(droplet.networks.v6, "public"),
        "gpu": {"count": droplet.gpu_info.count, "model": droplet.gpu_info.model}
        if droplet.gpu_info
        else None,
        "locked": droplet.locked,
        "next_backup_window": {"start": window.start, "end": window.end} if window else None,
    }
    clusters = [match[1] for tag in droplet.tags if (match := _CLUSTER.fullmatch(tag))]
    return {**attrs, "cluster_id": clusters[0]} if clusters else attrs


def _addresses(networks: list[Address], scope: str) -> list[str]:
    return sorted(network.ip_address for network in networks if network.type == scope)


DROPLET = KindSpec(
    kind=Kind.DROPLET,
    listings=(
        Listing("/v2/droplets", "droplets", DropletRecord),
        # GPU droplets are left out of the plain list.
        Listing("/v2/droplets", "droplets", DropletRecord, params={"type": "gpus"}),
    ),
    to_observation=to_observation,
    detail=Detail("/v2/droplets/{provider_id}", "droplet"),
    volatile=("locked", "next_backup_window"),
    modes=FAST,
    in_projects=True,
)
