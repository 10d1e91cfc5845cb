"""`/v2/firewalls`, of droplets by id and by tag; they can be in no project."""

from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.catalog import Json
from simulator.collection import Collection, existing_droplet_ids
from simulator.droplet_requests import validate_tag_names
from simulator.endpoints.droplets import get_droplet_or_404
from simulator.errors import bad_request

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
_SIDES: Final = {"inbound_rules": "sources", "outbound_rules": "destinations"}


@routes.put("/v2/firewalls/<key>")
def change(key: str) -> Json:
    """Replace the firewall: what the request leaves out is empty afterwards, as at DigitalOcean."""
    account, payload = request_context.get_account(), request_context.read_json()
    firewall = FIREWALLS.get_or_404(account, key)
    rules = {side: payload.get(side) or [] for side in _SIDES}
    if not any(rules.values()):
        raise bad_request("at least one rule must be given")
    for side, peers in _SIDES.items():
        if not all(rule.get("protocol") and rule.get("ports") and rule.get(peers) for rule in rules[side]):
            raise bad_request(f"each of {side} must have protocol, ports and {peers}")
    droplet_ids = [get_droplet_or_404(int(each)).id for each in payload.get("droplet_ids") or []]
    name = request_context.read_string(payload, "name", maximum=255)
    tags = account.register_tags(validate_tag_names(payload.get("tags") or []))
    firewall.update(name=name, tags=tags, droplet_ids=droplet_ids, **rules)
    return {"firewall": FIREWALLS.render(account, firewall)}
