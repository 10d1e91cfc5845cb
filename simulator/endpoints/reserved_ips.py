"""`/v2/reserved_ips`, by address.

In a project, one has either of two URNs: that of today, or that of the time when they were called floating.
"""

from flask import Blueprint

from simulator.account import Account, ResourceKind
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection
from simulator.droplet import render_droplet

routes = Blueprint("reserved_ips", __name__)


def _render(account: Account, reserved: Json) -> Json:
    droplet = account.droplets.get(reserved["droplet"] or 0)
    now = account.clock.now()
    return {
        "ip": reserved["ip"],
        "droplet": None if droplet is None else render_droplet(droplet, images=account.images, now=now),
        "region": REGIONS[reserved["region"]],
        "locked": False,
        # Under whichever URN the project has it.
        "project_id": (
            account.projects.find_project_id(f"do:reservedip:{reserved['ip']}")
            or account.projects.find_project_id(f"do:floatingip:{reserved['ip']}")
        ),
    }


RESERVED_IPS = Collection(
    "reserved_ip",
    "/v2/reserved_ips",
    "reserved_ips",
    "reserved_ip",
    identity="ip",
    urn="reservedip",
    render=_render,
)
RESERVED_IP = RESERVED_IPS.register_kind(routes)
FLOATING_IP = ResourceKind(
    "floating_ip",
    Blueprint("floating_ips", __name__),
    path="/v2/floating_ips",
    urn="floatingip",
    exists=lambda account, key: key in account.collections[RESERVED_IPS.name],
)
