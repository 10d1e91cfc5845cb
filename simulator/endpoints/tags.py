"""`/v2/tags`; names are unique in any case, and keep the spelling that came first."""

from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import Account, ResourceKind, Taggable
from simulator.catalog import Json
from simulator.droplet_requests import validate_tag_names
from simulator.errors import not_found, unprocessable
from simulator.pagination import PUBLIC_URL, paginate

routes = Blueprint("tags", __name__)
TAG = ResourceKind("tag", routes, count=lambda account: len(account.tags))

_COUNTED_KINDS: Final = ("droplets", "images", "volumes", "volume_snapshots", "databases")

# By kind, by tag: the number of resources, and the last one's URL.
Counts = dict[str, dict[str, tuple[int, str]]]


def _count_resources(account: Account) -> Counts:
    counts: Counts = {}
    for kind in account.kinds:
        if kind.tag_counts is not None:
            found = kind.tag_counts(account).items()
            counts[f"{kind.tag_type}s"] = {
                tag: (count, f"{PUBLIC_URL}{kind.path}/{last}") for tag, (count, last) in found
            }
    return counts


def _render_tag(name: str, counts: Counts) -> Json:
    resources: Json = {"count": 0}
    for kind in _COUNTED_KINDS:
        count, last = counts.get(kind, {}).get(name, (0, ""))
        resources[kind] = {"count": count, **({"last_tagged_uri": last} if count else {})}
        resources["count"] += count
        if count:
            resources["last_tagged_uri"] = last
    return {"name": name, "resources": resources}


def _get_tag_or_404(name: str) -> str:
    canonical = request_context.get_account().tags.get(name.lower())
    if canonical is None:
        raise not_found()
    return canonical


@routes.get("/v2/tags")
def list_tags() -> Json:
    account = request_context.get_account()
    # Counted once for the list, not for each tag: it takes a look at every resource.
    counts, names = _count_resources(account), sorted(account.tags.values())
    return paginate(
        "tags", len(names), lambda start, stop: [_render_tag(name, counts) for name in names[start:stop]]
    )


@routes.post("/v2/tags")
def create() -> tuple[Json, int]:
    account = request_context.get_account()
    (name,) = account.register_tags(validate_tag_names([request_context.read_json().get("name")]))
    return {"tag": _render_tag(name, _count_resources(account))}, 201


@routes.get("/v2/tags/<name>")
def show(name: str) -> Json:
    return {"tag": _render_tag(_get_tag_or_404(name), _count_resources(request_context.get_account()))}


@routes.delete("/v2/tags/<name>")
def delete(name: str) -> tuple[str, int]:
    account, name = request_context.get_account(), _get_tag_or_404(name)
    for droplet in account.droplets.iter_stored():
        droplet.tags = [tag for tag in droplet.tags if tag != name]
    # Synthetic droplets compute their tags: a deleted one is left out from now on, even if it is made again.
    account.droplets.synthetic.deleted_tags.add(name)
    stored = (body for held in account.collections.values() for body in held.values() if "tags" in body)
    for body in (*account.images.values(), *stored):
        body["tags"] = [tag for tag in body["tags"] if tag != name]
    del account.tags[name.lower()]
    return "", 204


def _find_resources() -> list[Taggable]:
    """Return the resources of the request's body. Raises ApiError (404) before any of them is changed."""
    account = request_context.get_account()
    wanted = request_context.read_json().get("resources")
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        raise unprocessable("resources must be a list of resource_id and resource_type")
    found: list[Taggable] = []
    for each in wanted:
        kind = next(
            (k for k in account.kinds if k.tag_type and k.tag_type == each.get("resource_type")), None
        )
        resource = (
            kind.find_taggable(account, str(each.get("resource_id"))) if kind and kind.find_taggable else None
        )
        if resource is None:
            raise not_found()
        found.append(resource)
    return found


@routes.post("/v2/tags/<name>/resources")
def tag(name: str) -> tuple[str, int]:
    name = _get_tag_or_404(name)
    for resource in _find_resources():
        if name not in resource.tags:
            resource.tags = [*resource.tags, name]
    return "", 204


@routes.delete("/v2/tags/<name>/resources")
def untag(name: str) -> tuple[str, int]:
    name = _get_tag_or_404(name)
    for resource in _find_resources():
        resource.tags = [tag for tag in resource.tags if tag != name]
    return "", 204
