"""Kubernetes clusters. Source: API reference, `GET /v2/kubernetes/clusters`."""

from typing import Any, Final

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import KubernetesClusterRecord, NodePool
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp, sorted_json
from inventory.values import Kind, Observation

_RUNNING: Final = frozenset({"running", "degraded", "upgrading"})


def to_observation(cluster: KubernetesClusterRecord) -> Observation:
    """Map a cluster. Its workers, `droplet_ids`, are droplets too, with their own row and price.

    The API has no price of the control plane.
    """
    state = cluster.status.state if cluster.status else ""
    nodes = (node.droplet_id for pool in cluster.node_pools for node in pool.nodes)
    return Observation(
        provider_id=cluster.id,
        urn=f"do:kubernetes:{cluster.id}",
        name=cluster.name,
        region=cluster.region,
        status=state,
        tags=sorted(cluster.tags),
        attrs={
            "version": cluster.version,
            # Absent and false are one, here and below: the difference would be an event.
            "ha": bool(cluster.ha),
            "auto_upgrade": bool(cluster.auto_upgrade),
            "vpc_uuid": cluster.vpc_uuid,
            "cluster_subnet": cluster.cluster_subnet,
            "service_subnet": cluster.service_subnet,
            "ipv4": cluster.ipv4,
            "endpoint": cluster.endpoint,
            "node_pools": sorted_json(map(_pool, cluster.node_pools)),
            "droplet_ids": sorted(filter(None, nodes)),
        },
        created_at=real_timestamp(cluster.created_at),
        active=state in _RUNNING,
    )


def _pool(pool: NodePool) -> dict[str, Any]:
    return {
        "id": pool.id,
        "name": pool.name,
        "size_slug": pool.size,
        "count": pool.count,
        "auto_scale": bool(pool.auto_scale),
        "min_nodes": pool.min_nodes,
        "max_nodes": pool.max_nodes,
    }


KUBERNETES_CLUSTER = KindSpec(
    kind=Kind.KUBERNETES_CLUSTER,
    listings=(Listing("/v2/kubernetes/clusters", "kubernetes_clusters", KubernetesClusterRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/kubernetes/clusters/{provider_id}", "kubernetes_cluster"),
    modes=FULL,
    in_projects=True,
)
