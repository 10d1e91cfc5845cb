"""`/v2/reserved_ips`, by address.

In a project, one has either of two URNs: that of today, or that of the time when they were called floating.
"""

from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection
from simulator.droplet import render_droplet
from simulator.endpoints.droplets import action_seconds, get_droplet_or_404
from simulator.errors import unprocessable

routes = Blueprint("reserved_ips", __name__)


def _render(account: Account, reserved: Json) -> Json:
    droplet = account.droplets.get(reserved["droplet"] or 0)
    now = account.clock.now()
    return {
        "ip": reserved["ip"],
        "droplet": None if droplet is None else render_droplet(droplet, images=account.images, now=now),
        "region": REGIONS[reserved["region"]],
        "locked": bool(reserved.get("locked")),
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
_FIRST_ID: Final = 758_603_823  # addresses have no number of their own but in their actions


@routes.post("/v2/reserved_ips/<ip>/actions")
def act(ip: str) -> tuple[Json, int]:
    """Assign the address to a droplet of its region, or take it from the one that has it."""
    account, payload = request_context.get_account(), request_context.read_json()
    reserved, kind = RESERVED_IPS.get_or_404(account, ip), payload.get("type")
    holder = account.droplets.get(reserved["droplet"] or 0)
    if kind not in {"assign", "unassign"}:
        raise unprocessable("You specified an invalid action type.")
    if reserved.get("locked"):
        raise unprocessable("The reserved IP is locked by a pending event.")
    wanted = get_droplet_or_404(int(payload.get("droplet_id") or 0)) if kind == "assign" else None
    if wanted is None and holder is None:
        raise unprocessable("The reserved IP is not assigned.")
    if wanted is not None and (holder is not None or wanted.region != reserved["region"]):
        raise unprocessable("The reserved IP is assigned already, or the droplet is of another region.")

    def finish(ok: bool) -> None:
        reserved["locked"] = False
        if ok:
            reserved["droplet"] = None if wanted is None else wanted.id

    reserved["locked"] = True
    action = account.actions.start(
        f"{kind}_ip",
        resource_id=_FIRST_ID + list(account.collections[RESERVED_IPS.name]).index(ip),
        resource_type="reserved_ip",
        region=reserved["region"],
        seconds=action_seconds(5),
        fails=request_context.take_fault("errored_action", type=f"{kind}_ip") is not None,
        finish=finish,
    )
    return {"action": action.render()}, 201


FLOATING_IP = ResourceKind(
    "floating_ip",
    Blueprint("floating_ips", __name__),
    path="/v2/floating_ips",
    urn="floatingip",
    exists=lambda account, key: key in account.collections[RESERVED_IPS.name],
)
