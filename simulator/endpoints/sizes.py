"""`/v2/sizes` and `/v2/regions`: the same for everybody."""

from flask import Blueprint

from simulator.account import Kind
from simulator.catalog import REGIONS, SIZES, Json
from simulator.pagination import list_page

routes = Blueprint("sizes", __name__)
SIZE = Kind("size", routes)


@routes.get("/v2/sizes")
def list_sizes() -> Json:
    return list_page("sizes", list(SIZES.values()))


@routes.get("/v2/regions")
def list_regions() -> Json:
    return list_page("regions", list(REGIONS.values()))
