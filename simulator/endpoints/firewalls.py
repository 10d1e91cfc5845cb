"""`/v2/firewalls`, of droplets by id and by tag; they can be in no project."""

from flask import Blueprint

from simulator.collection import Collection, existing_droplet_ids

routes = Blueprint("firewalls", __name__)


FIREWALLS = Collection(
    "firewall",
    "/v2/firewalls",
    "firewalls",
    "firewall",
    render=lambda account, firewall: {
        **firewall,
        "droplet_ids": existing_droplet_ids(account, firewall["droplet_ids"]),
    },
)
FIREWALL = FIREWALLS.register_kind(routes)
