"""`/v2/load_balancers`."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection, of_living

routes = Blueprint("load_balancers", __name__)


def _render(account: Account, balancer: Json) -> Json:
    """With a tag, it serves whichever droplets carry it now."""
    tag = balancer["tag"]
    droplets = account.droplets.ids_with_tag(tag.lower()) if tag else balancer["droplet_ids"]
    return {
        **balancer,
        "region": REGIONS[balancer["region"]],
        "project_id": account.projects.holder(f"do:loadbalancer:{balancer['id']}"),
        "droplet_ids": of_living(account, droplets),
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
