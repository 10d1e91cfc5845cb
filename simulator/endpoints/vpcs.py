"""`/v2/vpcs`; they have a URN, but can be in no project."""

from flask import Blueprint

from simulator import request_context
from simulator.catalog import Json
from simulator.collection import Collection

routes = Blueprint("vpcs", __name__)
VPCS = Collection("vpc", "/v2/vpcs", "vpcs", "vpc")
VPC = VPCS.register_kind(routes)


@routes.put("/v2/vpcs/<key>")
def change(key: str) -> Json:
    vpc, payload = VPCS.get_or_404(request_context.get_account(), key), request_context.read_json()
    name = request_context.read_string(payload, "name", maximum=255)
    description = request_context.read_string(payload, "description", maximum=255, minimum=0)
    vpc.update(name=name, description=description)
    return {"vpc": vpc}
