"""`/v2/snapshots`, of droplets, which are images too, and of volumes; backups are not among them."""

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.catalog import Json
from simulator.collection import as_taggable, count_tags
from simulator.errors import not_found
from simulator.pagination import paginate_list

routes = Blueprint("snapshots", __name__)
VOLUME_SNAPSHOTS = "volume_snapshot"  # the name of their collection


SNAPSHOT = ResourceKind(
    "snapshot",
    routes,
    path="/v2/snapshots",
    tag_type="volume_snapshot",
    find_taggable=lambda account, key: as_taggable(account.collections[VOLUME_SNAPSHOTS].get(key)),
    tag_counts=lambda account: count_tags(account.collections[VOLUME_SNAPSHOTS]),
    count=lambda account: len(_list_all(account)),
)


def _list_all(account: Account) -> list[Json]:
    of_droplets = [
        {
            # A string here, where the image itself has a number.
            "id": str(image["id"]),
            "resource_id": str(account.source_droplet_ids.get(image["id"], "")),
            "resource_type": "droplet",
            **{name: image[name] for name in ("name", "created_at", "regions", "tags")},
            **{name: image[name] for name in ("min_disk_size", "size_gigabytes")},
        }
        for image in account.images.values()
        if image["type"] == "snapshot"
    ]
    return [*of_droplets, *account.collections[VOLUME_SNAPSHOTS].values()]


@routes.get("/v2/snapshots")
def list_snapshots() -> Json:
    wanted = request.args.get("resource_type", "")
    found = _list_all(request_context.get_account())
    return paginate_list("snapshots", [s for s in found if wanted in {"", s["resource_type"]}])


def _get_snapshot_or_404(key: str) -> Json:
    snapshot = next((each for each in _list_all(request_context.get_account()) if each["id"] == key), None)
    if snapshot is None:
        raise not_found()
    return snapshot


@routes.get("/v2/snapshots/<key>")
def show(key: str) -> Json:
    return {"snapshot": _get_snapshot_or_404(key)}


@routes.delete("/v2/snapshots/<key>")
def delete(key: str) -> tuple[str, int]:
    account, snapshot = request_context.get_account(), _get_snapshot_or_404(key)
    if snapshot["resource_type"] == "droplet":
        account.delete_image(int(key))
    else:
        del account.collections[VOLUME_SNAPSHOTS][key]
    return "", 204
