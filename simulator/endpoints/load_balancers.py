"""`/v2/load_balancers`."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection, existing_droplet_ids

routes = Blueprint("load_balancers", __name__)


def _render(account: Account, balancer: Json) -> Json:
    """Render the load balancer; with a tag, its droplets are those that have the tag now."""
    tag = balancer["tag"]
    droplets = account.droplets.ids_with_tag(tag.lower()) if tag else balancer["droplet_ids"]
    return {
        **balancer,
        "region": REGIONS[balancer["region"]],
        "project_id": account.projects.find_project_id(f"do:loadbalancer:{balancer['id']}"),
        "droplet_ids": existing_droplet_ids(account, droplets),
    }


LOAD_BALANCERS = Collection(
    "load_balancer",
    "/v2/load_balancers",
    "load_balancers",
    "load_balancer",
    urn="loadbalancer",
    render=_render,
)
LOAD_BALANCER = LOAD_BALANCERS.register_kind(routes)
