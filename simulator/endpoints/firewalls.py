"""`/v2/firewalls`, of droplets by id and by tag; they can be in no project."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection, existing_droplet_ids

routes = Blueprint("firewalls", __name__)


def _render(account: Account, firewall: Json) -> Json:
    return {**firewall, "droplet_ids": existing_droplet_ids(account, firewall["droplet_ids"])}


FIREWALLS = Collection("firewall", "/v2/firewalls", "firewalls", "firewall", render=_render)
FIREWALL = FIREWALLS.register_kind(routes)
