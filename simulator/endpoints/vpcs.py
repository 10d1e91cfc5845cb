"""`/v2/vpcs`; they have a URN, but can be in no project."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("vpcs", __name__)
VPCS = Collection("vpc", "/v2/vpcs", "vpcs", "vpc")
VPC = VPCS.register_kind(routes)
