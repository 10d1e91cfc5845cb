"""`/_control/droplets`: changes out of band, immediate and without an action."""

from datetime import timedelta

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import IMAGE_IDS, SIZES, Json
from simulator.control.simulation import read_payload, select_account
from simulator.droplet import Droplet, default_vpc, render_droplet
from simulator.droplet_requests import DropletRequest, validate_droplet_name, validate_tag_names
from simulator.endpoints.droplets import add_droplet
from simulator.errors import bad_request, not_found

routes = Blueprint("control_droplets", __name__, url_prefix="/_control")


def _render_droplet(droplet: Droplet) -> Json:
    account = select_account()
    return render_droplet(droplet, images=account.images, now=account.clock.now())


def _make_droplet_request(account: Account, payload: Json) -> DropletRequest:
    region, size = str(payload.get("region", "nyc3")), str(payload.get("size", "s-1vcpu-1gb"))
    if size not in SIZES or region not in SIZES[size]["regions"]:
        raise bad_request("there is no such size in that region")
    return DropletRequest(
        names=[validate_droplet_name(payload.get("name", "made-elsewhere"))],
        several=False,
        size=size,
        region=region,
        image=IMAGE_IDS["ubuntu-24-04-x64"],
        tags=validate_tag_names(payload.get("tags", [])),
        ipv6=False,
        monitoring=False,
        backup_policy=None,
        vpc_uuid=default_vpc(account.team, region),
    )


@routes.post("/droplets")
def make_droplets() -> tuple[Json, int]:
    account, payload = select_account(), read_payload()
    droplet_request, made = _make_droplet_request(account, payload), []
    for number in range(int(payload.get("count", 1))):
        name = (
            droplet_request.names[0] if "count" not in payload else f"{droplet_request.names[0]}-{number + 1}"
        )
        made.append(add_droplet(account, droplet_request, name))
        # Aged here alone: by its virtual time it is new, so that faults of lagging lists still hide it.
        made[-1].created_at -= timedelta(seconds=int(payload.get("age_seconds", 0)))
        _move(account, made[-1], payload)
    return {"droplets": [_render_droplet(droplet) for droplet in made]}, 201


def _move(account: Account, droplet: Droplet, payload: Json) -> None:
    """Assign the droplet to the payload's `project`, a name or id, if it has one. Raises ApiError (400)."""
    if "project" not in payload:
        return
    key = str(payload["project"])
    project = account.projects.find_by_name(key) or account.projects.get(key)
    if project is None:
        raise bad_request("there is no such project")
    account.projects.assign(droplet.urn, project, account.clock.now())


@routes.patch("/droplets/<int:droplet_id>")
def change_droplet(droplet_id: int) -> Json:
    account, payload = select_account(), read_payload()
    droplet = account.droplets.get_for_update(droplet_id)
    if droplet is None:
        raise not_found()
    if "name" in payload:
        droplet.name = validate_droplet_name(payload["name"])
    if "size" in payload:
        droplet.size = _make_droplet_request(
            account, {"size": payload["size"], "region": droplet.region}
        ).size
        # A disk never shrinks, in a resize by hand either.
        droplet.disk = max(droplet.disk, SIZES[droplet.size]["disk"])
    if payload.get("status", "off") not in {"active", "off", "archive", "new"}:
        raise bad_request("no such status")
    droplet.status = payload.get("status", droplet.status)
    if "tags" in payload:
        droplet.tags = account.register_tags(validate_tag_names(payload["tags"]))
    _move(account, droplet, payload)
    return {"droplet": _render_droplet(droplet)}


@routes.delete("/droplets/<int:droplet_id>")
def delete_droplet(droplet_id: int) -> tuple[str, int]:
    account = select_account()
    if account.droplets.get(droplet_id) is None:
        raise not_found()
    account.delete_droplet(droplet_id)
    return "", 204


@routes.post("/churn")
def churn() -> Json:
    """Rename, tag, resize, delete and create so many droplets, spread evenly over the account.

    One call changes no droplet twice.
    """
    account, payload = select_account(), read_payload()
    wanted = {name: int(payload.get(name, 0)) for name in ("rename", "tag", "resize", "delete")}
    # All are chosen before the first change, since a deletion moves those after it.
    ids = account.droplets.sample_ids(sum(wanted.values()))
    if len(ids) < sum(wanted.values()):
        raise bad_request("there are not so many droplets")
    # A number of its own for each call, since a rename or a tag that is there already would change nothing.
    serial, remaining_ids = account.new_droplet_id(), iter(ids)
    for change, count in wanted.items():
        for _ in range(count):
            _apply_change(account, change, next(remaining_ids), serial)
    for number in range(int(payload.get("create", 0))):
        name = f"churn-{serial}-{number}"
        add_droplet(account, _make_droplet_request(account, {"name": name}), name)
    return {**wanted, "create": int(payload.get("create", 0))}


def _apply_change(account: Account, change: str, droplet_id: int, serial: int) -> None:
    droplet = account.droplets.get_for_update(droplet_id)
    if droplet is None:
        raise not_found()
    match change:
        case "rename":
            droplet.name = f"{droplet.name.partition('.')[0]}.r{serial}"
        case "tag":
            droplet.tags = [*droplet.tags, *account.register_tags([f"churn:{serial}"])]
        case "resize":
            droplet.size = "s-8vcpu-16gb" if droplet.size != "s-8vcpu-16gb" else "s-2vcpu-4gb"
        case "delete":
            account.delete_droplet(droplet_id)
