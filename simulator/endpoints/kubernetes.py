"""`/v2/kubernetes/clusters`; their workers are droplets, listed among the others."""

from flask import Blueprint

from simulator import request_context
from simulator.catalog import Json
from simulator.collection import Collection

routes = Blueprint("kubernetes", __name__)
CLUSTERS = Collection(
    "kubernetes_cluster",
    "/v2/kubernetes/clusters",
    "kubernetes_clusters",
    "kubernetes_cluster",
    urn="kubernetes",
)
KUBERNETES_CLUSTER = CLUSTERS.register_kind(routes)


@routes.put("/v2/kubernetes/clusters/<key>")
def change(key: str) -> tuple[Json, int]:
    """Rename the cluster and switch its automatic upgrades, off where the request doesn't name them."""
    cluster, payload = CLUSTERS.get_or_404(request_context.get_account(), key), request_context.read_json()
    name = request_context.read_string(payload, "name", maximum=255)
    cluster.update(name=name, auto_upgrade=payload.get("auto_upgrade") is True)
    return {"kubernetes_cluster": cluster}, 202


@routes.get("/v2/kubernetes/clusters/<key>/node_pools")
def list_node_pools(key: str) -> Json:
    return {"node_pools": CLUSTERS.get_or_404(request_context.get_account(), key)["node_pools"]}
