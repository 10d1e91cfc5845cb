"""`/v2/vpcs`. They have a URN, but no project takes them."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("vpcs", __name__)
VPCS = Collection("vpc", "/v2/vpcs", "vpcs", "vpc")
VPC = VPCS.register_kind(routes)
