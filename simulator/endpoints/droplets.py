"""`/v2/droplets`: lists, detail, creation, deletion."""

from typing import Final

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.actions import CREATE_SECONDS, Action
from simulator.catalog import Json
from simulator.droplet import Droplet, default_vpc, render_droplet
from simulator.droplet_requests import DropletRequest, parse_droplet_request
from simulator.errors import bad_request, not_found, pending_event
from simulator.pagination import PUBLIC_URL, paginate, paginate_list
from simulator.synthetic_droplets import FIRST_ID

routes = Blueprint("droplets", __name__)
_GONE: Final = "The resource you were accessing could not be found."


DROPLET = ResourceKind(
    "droplet",
    routes,
    path="/v2/droplets",
    urn="droplet",
    tag_type="droplet",
    exists=lambda account, key: key.isdecimal() and account.droplets.get(int(key)) is not None,
    find_taggable=lambda account, key: account.droplets.get_for_update(int(key)) if key.isdecimal() else None,
    tag_counts=lambda account: account.droplets.tag_counts(),
    count=lambda account: len(account.droplets),
)


def render_droplets(*droplets: Droplet) -> list[Json]:
    account = request_context.get_account()
    now = account.clock.now()
    return [render_droplet(droplet, images=account.images, now=now) for droplet in droplets]


def get_droplet_or_404(droplet_id: int) -> Droplet:
    """Return the droplet, to change it. Raises ApiError (404)."""
    droplet = request_context.get_account().droplets.get_for_update(droplet_id)
    if droplet is None:
        raise not_found(_GONE)
    return droplet


def _recently_deleted(seconds: float) -> list[Droplet]:
    account = request_context.get_account()
    since = account.clock.virtual() - seconds
    return [droplet for droplet in account.droplets.deleted if droplet.deleted_virtual > since]


def _select_ids() -> tuple[list[int], bool, list[int]]:
    """Select by the query: ids before the synthetic droplets, True for all of these, ids after them."""
    store, query = request_context.get_account().droplets, request.args
    if "tag_name" in query and ("name" in query or "type" in query):
        raise bad_request("tag_name can not be combined with name or type")
    if "tag_name" in query:
        return store.ids_with_tag(query["tag_name"].lower()), False, []
    if "name" in query:
        return store.ids_with_name(query["name"]), False, []
    return store.fleet_ids(), query.get("type") != "gpus", store.created_ids()


def _exclude_unlisted(ids: list[int]) -> list[int]:
    """Keep the ids that the list shows: GPU droplets or the others, new ones once no fault hides them.

    Synthetic droplets, neither new nor with a GPU, are not computed for this.
    """
    account, gpus = request_context.get_account(), request.args.get("type") == "gpus"
    lag = request_context.take_fault("list_lag")
    known = account.clock.virtual() - float(lag["seconds"]) if lag is not None else account.clock.virtual()
    held = ((droplet_id, account.droplets.find_stored(droplet_id)) for droplet_id in ids)
    return [
        droplet_id
        for droplet_id, droplet in held
        if (not gpus if droplet is None else droplet.is_gpu is gpus and droplet.created_virtual <= known)
    ]


def _deleted_but_listed() -> list[Droplet]:
    """Return the deleted droplets that a fault keeps in the list."""
    linger = request_context.take_fault("deleted_linger")
    if linger is None:
        return []
    gpus, tag = request.args.get("type") == "gpus", request.args.get("tag_name", "").lower()
    return [
        droplet
        for droplet in _recently_deleted(float(linger["seconds"]))
        if droplet.is_gpu is gpus and (not tag or tag in map(str.lower, droplet.tags))
    ]


@routes.get("/v2/droplets")
def list_droplets() -> Json:
    store = request_context.get_account().droplets
    before, with_synthetic, after = _select_ids()
    listed = _exclude_unlisted([*before, *after])
    # The list is head, synthetic droplets, tail, of which each page computes no more than its own.
    head = [droplet_id for droplet_id in listed if not with_synthetic or droplet_id < FIRST_ID]
    tail: list[Droplet | None] = [store.get(each) for each in listed[len(head) :]]
    tail += _deleted_but_listed()
    tail_start = len(head) + (len(store.synthetic.remaining) if with_synthetic else 0)

    def fetch(start: int, stop: int) -> list[Json]:
        page = [store.get(droplet_id) for droplet_id in head[start:stop]]
        if start < tail_start and stop > len(head) and with_synthetic:
            first, last = max(0, start - len(head)), min(stop, tail_start) - len(head)
            page += map(store.get_synthetic, store.synthetic.remaining.slice(first, last))
        page += tail[max(0, start - tail_start) : max(0, stop - tail_start)]
        return render_droplets(*(droplet for droplet in page if droplet is not None))

    return paginate("droplets", tail_start + len(tail), fetch)


@routes.get("/v2/droplets/<int:droplet_id>")
def show(droplet_id: int) -> Json:
    account = request_context.get_account()
    droplet = account.droplets.get(droplet_id)
    # A fleet's droplets were always there: a lag of reads by id must not be spent on them.
    if droplet is not None and droplet.created_virtual > float("-inf"):
        lag = request_context.take_fault("list_lag", detail=True)
        if lag is not None and droplet.created_virtual > account.clock.virtual() - float(lag["seconds"]):
            droplet = None
    elif droplet is None:
        linger = request_context.take_fault("deleted_linger", detail=True)
        left = _recently_deleted(float(linger["seconds"])) if linger is not None else []
        droplet = next((each for each in left if each.id == droplet_id), None)
    if droplet is None:
        raise not_found(_GONE)
    return {"droplet": render_droplets(droplet)[0]}


@routes.post("/v2/droplets")
def create() -> tuple[Json, int]:
    """Start the creations; each ends as the action in `links` does, after the 202."""
    droplet_request = parse_droplet_request(request_context.get_account(), request_context.read_json())
    made = [_start_creation(droplet_request, name) for name in droplet_request.names]
    links: Json = {
        "links": {
            "actions": [
                {"id": action.id, "rel": "create", "href": f"{PUBLIC_URL}/v2/actions/{action.id}"}
                for _, action in made
            ]
        }
    }
    bodies = render_droplets(*(droplet for droplet, _ in made))
    if droplet_request.several:
        return {"droplets": bodies, **links}, 202
    return {"droplet": bodies[0], **links}, 202


def _start_creation(droplet_request: DropletRequest, name: str) -> tuple[Droplet, Action]:
    account = request_context.get_account()
    droplet = add_droplet(account, droplet_request, name)
    droplet.status = "new"

    def finish(ok: bool) -> None:
        # Deleted meanwhile, out of band or by the fault `vanishing`: the action ends and brings nothing back.
        if account.droplets.get(droplet.id) is not droplet:
            return
        droplet.pending = None
        droplet.status = "active"
        if not ok:
            account.delete_droplet(droplet.id)

    vanishes = request_context.take_fault("vanishing") is not None
    action = account.actions.start(
        "create",
        resource_id=droplet.id,
        resource_type="droplet",
        region=droplet.region,
        seconds=action_seconds(CREATE_SECONDS),
        fails=vanishes or request_context.take_fault("errored_action", type="create") is not None,
        finish=finish,
    )
    droplet.pending = action.id
    if vanishes:
        account.delete_droplet(droplet.id)
    return droplet, action


def add_droplet(account: Account, droplet_request: DropletRequest, name: str) -> Droplet:
    """Add a droplet to the account, active and in the default project, without an action."""
    droplet_id = account.new_droplet_id()
    droplet = Droplet(
        id=droplet_id,
        name=name,
        size=droplet_request.size,
        region=droplet_request.region,
        image=droplet_request.image,
        created_at=account.clock.now(),
        address=100_000 + droplet_id % 30_000,  # between the synthetic ones' and the fleet's
        tags=account.register_tags(droplet_request.tags),
        ipv6=droplet_request.ipv6,
        monitoring=droplet_request.monitoring,
        backup_policy=droplet_request.backup_policy,
        vpc_uuid=droplet_request.vpc_uuid or default_vpc(account.team, droplet_request.region),
        created_virtual=account.clock.virtual(),
    )
    account.droplets.add(droplet)
    account.projects.assign(droplet.urn, account.projects.default, droplet.created_at)
    return droplet


def action_seconds(seconds: float) -> float:
    """Return the virtual seconds that an action takes, more under the fault `slow_actions`."""
    slow = request_context.take_fault("slow_actions")
    return seconds if slow is None else seconds * float(slow["factor"])


def refuse_while_pending(droplet: Droplet) -> None:
    """Raise ApiError (422) if an action locks the droplet."""
    if droplet.pending is not None:
        raise pending_event()


@routes.delete("/v2/droplets/<int:droplet_id>")
def delete(droplet_id: int) -> tuple[str, int]:
    refuse_while_pending(get_droplet_or_404(droplet_id))
    request_context.get_account().delete_droplet(droplet_id)
    return "", 204


@routes.delete("/v2/droplets")
def delete_tagged() -> tuple[str, int]:
    account, tag = request_context.get_account(), request.args.get("tag_name", "").lower()
    if tag not in account.tags:
        raise not_found(_GONE)
    for droplet_id in account.droplets.ids_with_tag(tag):
        account.delete_droplet(droplet_id)
    return "", 204


def _render_images(ids: list[int], kind: str) -> list[Json]:
    images = (request_context.get_account().images[image_id] for image_id in ids)
    names = ("id", "name", "created_at", "regions", "min_disk_size", "size_gigabytes")
    return [{**{name: image[name] for name in names}, "type": kind} for image in images]


@routes.get("/v2/droplets/<int:droplet_id>/snapshots")
def list_snapshots(droplet_id: int) -> Json:
    return paginate_list("snapshots", _render_images(get_droplet_or_404(droplet_id).snapshot_ids, "snapshot"))


@routes.get("/v2/droplets/<int:droplet_id>/backups")
def list_backups(droplet_id: int) -> Json:
    return paginate_list("backups", _render_images(get_droplet_or_404(droplet_id).backup_ids, "backup"))
