"""`/v2/firewalls`. They guard droplets by id and by tag; no project takes them."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection, of_living

routes = Blueprint("firewalls", __name__)


def _render(account: Account, firewall: Json) -> Json:
    return {**firewall, "droplet_ids": of_living(account, firewall["droplet_ids"])}


FIREWALLS = Collection("firewall", "/v2/firewalls", "firewalls", "firewall", render=_render)
FIREWALL = FIREWALLS.register_kind(routes)
