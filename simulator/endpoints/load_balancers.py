"""`/v2/load_balancers`."""

from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection, existing_droplet_ids
from simulator.errors import unprocessable

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
# What a request leaves out has its default afterwards, as at DigitalOcean.
_DEFAULTS: Final[Json] = {
    "algorithm": "round_robin",
    "size_unit": 1,
    "sticky_sessions": {"type": "none"},
    "tag": "",
    "droplet_ids": [],
    "redirect_http_to_https": False,
    "enable_proxy_protocol": False,
    "enable_backend_keepalive": False,
    "disable_lets_encrypt_dns_records": False,
    "firewall": {"deny": [], "allow": []},
}


@routes.put("/v2/load_balancers/<key>")
def change(key: str) -> Json:
    account, payload = request_context.get_account(), request_context.read_json()
    balancer = LOAD_BALANCERS.get_or_404(account, key)
    if not payload.get("forwarding_rules") or payload.get("region") != balancer["region"]:
        raise unprocessable("forwarding_rules, and the region that it is in, must be given")
    name = request_context.read_string(payload, "name", maximum=255)
    given = {field: payload.get(field, default) for field, default in _DEFAULTS.items()}
    balancer.update(given, name=name, forwarding_rules=payload["forwarding_rules"])
    if "health_check" in payload:
        balancer["health_check"] = payload["health_check"]
    return {"load_balancer": LOAD_BALANCERS.render(account, balancer)}
