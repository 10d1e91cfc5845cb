"""`/_control/droplets`: changes behind the client's back, at once and without an action."""

from datetime import timedelta

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import IMAGE_IDS, SIZES, Json
from simulator.control.simulation import chosen_account, wish_of
from simulator.droplet import Droplet, default_vpc, rendered
from simulator.droplet_requests import Order, droplet_name, tag_names
from simulator.endpoints.droplets import place
from simulator.errors import bad_request, not_found

routes = Blueprint("control_droplets", __name__, url_prefix="/_control")


def _shown(droplet: Droplet) -> Json:
    account = chosen_account()
    return rendered(droplet, images=account.images, now=account.clock.now())


def _order(account: Account, wish: Json) -> Order:
    region, size = str(wish.get("region", "nyc3")), str(wish.get("size", "s-1vcpu-1gb"))
    if size not in SIZES or region not in SIZES[size]["regions"]:
        raise bad_request("there is no such size in that region")
    return Order(
        names=[droplet_name(wish.get("name", "made-elsewhere"))],
        several=False,
        size=size,
        region=region,
        image=IMAGE_IDS["ubuntu-24-04-x64"],
        tags=tag_names(wish.get("tags", [])),
        ipv6=False,
        monitoring=False,
        backup_policy=None,
        vpc_uuid=default_vpc(account.team, region),
    )


@routes.post("/droplets")
def make_droplets() -> tuple[Json, int]:
    account, wish = chosen_account(), wish_of()
    order, made = _order(account, wish), []
    for number in range(int(wish.get("count", 1))):
        name = order.names[0] if "count" not in wish else f"{order.names[0]}-{number + 1}"
        made.append(place(account, order, name))
        made[-1].created_at -= timedelta(seconds=int(wish.get("age_seconds", 0)))
        _move(account, made[-1], wish)
    return {"droplets": [_shown(droplet) for droplet in made]}, 201


def _move(account: Account, droplet: Droplet, wish: Json) -> None:
    """Into the project named in the wish, by its name or id."""
    if "project" not in wish:
        return
    key = str(wish["project"])
    project = account.projects.named(key) or account.projects.get(key)
    if project is None:
        raise bad_request("there is no such project")
    account.projects.assign(droplet.urn, project, account.clock.now())


@routes.patch("/droplets/<int:droplet_id>")
def change_droplet(droplet_id: int) -> Json:
    account, wish = chosen_account(), wish_of()
    droplet = account.droplets.edit(droplet_id)
    if droplet is None:
        raise not_found()
    if "name" in wish:
        droplet.name = droplet_name(wish["name"])
    if "size" in wish:
        droplet.size = _order(account, {"size": wish["size"], "region": droplet.region}).size
        droplet.disk = max(droplet.disk, SIZES[droplet.size]["disk"])
    if wish.get("status", "off") not in {"active", "off", "archive", "new"}:
        raise bad_request("no such status")
    droplet.status = wish.get("status", droplet.status)
    if "tags" in wish:
        droplet.tags = account.canonical_tags(tag_names(wish["tags"]))
    _move(account, droplet, wish)
    return {"droplet": _shown(droplet)}


@routes.delete("/droplets/<int:droplet_id>")
def delete_droplet(droplet_id: int) -> tuple[str, int]:
    account = chosen_account()
    if account.droplets.get(droplet_id) is None:
        raise not_found()
    account.delete_droplet(droplet_id)
    return "", 204


@routes.post("/churn")
def churn() -> Json:
    """Rename, tag, resize, delete and create so many droplets, spread evenly over what there is.

    No droplet is taken twice in one call.
    """
    account, wish = chosen_account(), wish_of()
    wanted = {name: int(wish.get(name, 0)) for name in ("rename", "tag", "resize", "delete")}
    ids = account.droplets.spread(sum(wanted.values()))
    if len(ids) < sum(wanted.values()):
        raise bad_request("there are not so many droplets")
    stamp, picked = account.new_droplet_id(), iter(ids)
    for change, count in wanted.items():
        for _ in range(count):
            _churn(account, change, next(picked), stamp)
    for number in range(int(wish.get("create", 0))):
        place(account, _order(account, {"name": f"churn-{stamp}-{number}"}), f"churn-{stamp}-{number}")
    return {**wanted, "create": int(wish.get("create", 0))}


def _churn(account: Account, change: str, droplet_id: int, stamp: int) -> None:
    droplet = account.droplets.edit(droplet_id)
    if droplet is None:
        raise not_found()
    match change:
        case "rename":
            droplet.name = f"{droplet.name.partition('.')[0]}.r{stamp}"
        case "tag":
            droplet.tags = [*droplet.tags, *account.canonical_tags([f"churn:{stamp}"])]
        case "resize":
            droplet.size = "s-8vcpu-16gb" if droplet.size != "s-8vcpu-16gb" else "s-2vcpu-4gb"
        case "delete":
            account.delete_droplet(droplet_id)
