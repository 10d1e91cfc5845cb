"""`/v2/sizes` and `/v2/regions`, the same for all accounts."""

from flask import Blueprint

from simulator.account import ResourceKind
from simulator.catalog import REGIONS, SIZES, Json
from simulator.pagination import paginate_list

routes = Blueprint("sizes", __name__)
SIZE = ResourceKind("size", routes)


@routes.get("/v2/sizes")
def list_sizes() -> Json:
    return paginate_list("sizes", list(SIZES.values()))


@routes.get("/v2/regions")
def list_regions() -> Json:
    return paginate_list("regions", list(REGIONS.values()))
