"""`/v2/images`: public images, and the account's own snapshots and backups."""

from flask import Blueprint, request

from simulator import request_context
from simulator.account import ResourceKind
from simulator.catalog import APPLICATIONS, IMAGE_IDS, IMAGES, Json
from simulator.collection import as_taggable, count_tags
from simulator.errors import forbidden, not_found
from simulator.pagination import paginate_list

routes = Blueprint("images", __name__)


IMAGE = ResourceKind(
    "image",
    routes,
    path="/v2/images",
    tag_type="image",
    find_taggable=lambda account, key: as_taggable(account.images.get(int(key)) if key.isdecimal() else None),
    tag_counts=lambda account: count_tags(account.images),
    count=lambda account: len(account.images),
)


def _get_private_image(image_id: int) -> Json:
    """Return an image that the account may change. Raises ApiError (403 on a public one, 404)."""
    # A public image exists for all accounts: changing it is forbidden, where another id isn't found.
    if image_id in IMAGES:
        raise forbidden()
    image = request_context.get_account().images.get(image_id)
    if image is None:
        raise not_found()
    return image


@routes.get("/v2/images")
def list_images() -> Json:
    own = list(request_context.get_account().images.values())
    public = list(IMAGES.values())
    tag = request.args.get("tag_name", "").lower()
    if tag:
        return paginate_list("images", [i for i in own if tag in (name.lower() for name in i["tags"])])
    if request.args.get("private", "").lower() == "true":
        return paginate_list("images", own)
    match request.args.get("type"):
        case "distribution":
            return paginate_list("images", [i for i in public if i["id"] not in APPLICATIONS])
        case "application":
            return paginate_list("images", [i for i in public if i["id"] in APPLICATIONS])
    return paginate_list("images", [*own, *public])


@routes.get("/v2/images/<key>")
def show(key: str) -> Json:
    """Show the image of that id, or the public one of that slug."""
    image_id = IMAGE_IDS.get(key) or (int(key) if key.isdecimal() else 0)
    image = IMAGES.get(image_id) or request_context.get_account().images.get(image_id)
    if image is None:
        raise not_found()
    return {"image": image}


@routes.put("/v2/images/<int:image_id>")
def change(image_id: int) -> Json:
    image = _get_private_image(image_id)
    payload = request_context.read_json()
    for name in ("name", "description"):
        if name in payload:
            image[name] = request_context.read_string(payload, name, maximum=255)
    return {"image": image}


@routes.delete("/v2/images/<int:image_id>")
def delete(image_id: int) -> tuple[str, int]:
    _get_private_image(image_id)
    request_context.get_account().delete_image(image_id)
    return "", 204
