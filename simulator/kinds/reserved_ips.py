"""`/v2/reserved_ips`, by the address."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.droplet import rendered
from simulator.shelf import Shelf

routes = Blueprint("reserved_ips", __name__)


def _shown(account: Account, reserved: Json) -> Json:
    droplet = account.droplets.get(reserved["droplet"] or 0)
    now = account.clock.now()
    return {
        "ip": reserved["ip"],
        "droplet": None if droplet is None else rendered(droplet, images=account.images, now=now),
        "region": REGIONS[reserved["region"]],
        "locked": False,
        "project_id": account.projects.holder(f"do:reservedip:{reserved['ip']}"),
    }


RESERVED_IPS = Shelf(
    "reserved_ip",
    "/v2/reserved_ips",
    "reserved_ips",
    "reserved_ip",
    identity="ip",
    urn="reservedip",
    shown=_shown,
)
RESERVED_IP = RESERVED_IPS.kind(routes)
