"""`/v2/volumes`: block storage, made, attached, detached and grown."""

import re
import uuid
from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.clock import format_time
from simulator.collection import Collection, existing_droplet_ids
from simulator.endpoints.droplets import action_seconds, get_droplet_or_404, refuse_while_pending
from simulator.errors import conflict, unprocessable

routes = Blueprint("volumes", __name__)
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_PENDING: Final = "pending"  # beside a volume's own fields: an action on it is under way


def _render(account: Account, volume: Json) -> Json:
    return {
        **{name: value for name, value in volume.items() if name != _PENDING},
        "region": REGIONS[volume["region"]],
        "droplet_ids": existing_droplet_ids(account, volume["droplet_ids"]),
    }


def _refuse_deletion(account: Account, volume: Json) -> None:
    """Raise ApiError (409) for a volume that is attached, or is about to be."""
    if existing_droplet_ids(account, volume["droplet_ids"]) or volume.get(_PENDING):
        raise conflict(
            "A volume that's attached to a Droplet cannot be deleted. Please detach it first before deleting."
        )


VOLUMES = Collection(
    "volume",
    "/v2/volumes",
    "volumes",
    "volume",
    urn="volume",
    tag_type="volume",
    named=True,
    render=_render,
    refuse_deletion=_refuse_deletion,
)
VOLUME = VOLUMES.register_kind(routes)


@routes.post("/v2/volumes")
def create() -> tuple[Json, int]:
    account, payload = request_context.get_account(), request_context.read_json()
    name, region, size = payload.get("name"), payload.get("region"), payload.get("size_gigabytes")
    present = VOLUMES.list_all(account)
    if not isinstance(name, str) or region not in REGIONS or not isinstance(size, int) or size < 1:
        raise unprocessable("name, region and size_gigabytes must be given")
    if not _NAME.fullmatch(name):
        raise unprocessable(
            "Name must be lowercase letters, numbers and hyphens, 64 at most, and begin with a letter"
        )
    if len(present) >= account.volume_limit:
        raise unprocessable("creating this volume will exceed your volume limit")
    if any((volume["name"], volume["region"]) == (name, region) for volume in present):
        raise unprocessable("volume with the same name already exists in the region")
    body: Json = {
        "id": str(uuid.uuid4()),
        "name": name,
        "size_gigabytes": size,
        "region": region,
        "created_at": format_time(account.clock.now()),
        "droplet_ids": [],
        "description": "",
        "filesystem_type": str(payload.get("filesystem_type") or ""),
        "filesystem_label": "",
        "tags": list(payload.get("tags") or []),
    }
    return {"volume": _render(account, VOLUMES.add(account, body))}, 201


@routes.post("/v2/volumes/<key>/actions")
def act(key: str) -> tuple[Json, int]:
    """Attach, detach or grow; a volume is attached to one droplet of its own region at most."""
    account, payload = request_context.get_account(), request_context.read_json()
    volume, kind = VOLUMES.get_or_404(account, key), payload.get("type")
    if kind == "resize":
        return _grow(account, volume, payload)
    droplet = get_droplet_or_404(int(payload.get("droplet_id") or 0))
    held = existing_droplet_ids(account, volume["droplet_ids"])
    if kind not in {"attach", "detach"} or droplet.region != volume["region"]:
        raise unprocessable("the action must be attach or detach, and the droplet of the volume's region")
    if kind == "attach" and held:
        raise unprocessable("Volume is already attached to a Droplet.")
    if kind == "detach" and droplet.id not in held:
        raise unprocessable("Volume is not attached to the Droplet.")
    if volume.get(_PENDING):
        raise unprocessable("Volume already has a pending event.")
    refuse_while_pending(droplet)

    def finish(ok: bool) -> None:
        volume[_PENDING], droplet.pending = False, None
        if ok:
            volume["droplet_ids"] = [droplet.id] if kind == "attach" else []

    action = account.actions.start(
        f"{kind}_volume",
        resource_id=droplet.id,
        resource_type="volume",
        region=droplet.region,
        seconds=action_seconds(5),
        fails=request_context.take_fault("errored_action", type=f"{kind}_volume") is not None,
        finish=finish,
    )
    volume[_PENDING], droplet.pending = True, action.id
    return {"action": action.render()}, 202


def _grow(account: Account, volume: Json, payload: Json) -> tuple[Json, int]:
    size = payload.get("size_gigabytes")
    if not isinstance(size, int) or size <= volume["size_gigabytes"]:
        raise unprocessable("Volume size must be larger than the present size.")
    action = account.actions.start(
        "resize_volume",
        resource_id=0,
        resource_type="volume",
        region=volume["region"],
        seconds=action_seconds(5),
        fails=request_context.take_fault("errored_action", type="resize_volume") is not None,
        finish=lambda ok: volume.update(size_gigabytes=size) if ok else None,
    )
    return {"action": action.render()}, 202
