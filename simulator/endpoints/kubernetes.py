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


@routes.get("/v2/kubernetes/clusters/<key>/node_pools")
def list_node_pools(key: str) -> Json:
    return {"node_pools": CLUSTERS.get_or_404(request_context.get_account(), key)["node_pools"]}
