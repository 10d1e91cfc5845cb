"""Collections of resources that are listed, shown and deleted: one of each kind an account, by id.

A resource is stored as its JSON, except for the fields that `render` computes for each response.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account, ResourceKind, Taggable
from simulator.catalog import Json
from simulator.errors import not_found
from simulator.pagination import paginate

Key = TypeVar("Key", int, str)
_GONE: Final = "The resource you were accessing could not be found."


class JsonTags:
    """The tags of a resource that is stored as JSON, as `Taggable`."""

    def __init__(self, body: Json) -> None:
        self._body = body

    @property
    def tags(self) -> list[str]:
        # A copy, which an endpoint assigns back: what it has changed so far must not show if it fails.
        return list(self._body["tags"])

    @tags.setter
    def tags(self, tags: list[str]) -> None:
        self._body["tags"] = tags


def as_taggable(body: Json | None) -> Taggable | None:
    """Return the tags of a resource that is stored as JSON; None if it is absent or its kind has none."""
    return JsonTags(body) if body is not None and "tags" in body else None


@dataclass(frozen=True)
class Collection:
    """The endpoints of a kind at `path`: its list under `plural`, each under `singular`, by its `identity`.

    `urn` and `tag_type` as of `ResourceKind`. Some lists have no pages; `named` ones can be asked for a name.
    `refuse_deletion` raises ApiError for what can't be deleted as it is.
    """

    name: str
    path: str
    plural: str
    singular: str
    identity: str = "id"
    urn: str = ""
    tag_type: str = ""
    paged: bool = True
    named: bool = False
    render: Callable[[Account, Json], Json] = field(default=lambda _account, body: body)
    refuse_deletion: Callable[[Account, Json], None] = field(default=lambda _account, _body: None)

    def add(self, account: Account, body: Json, *, project: str = "") -> Json:
        """Add the resource to the collection, and to the project of that name if there is one."""
        if "tags" in body:
            body["tags"] = account.register_tags(body["tags"])
        account.collections[self.name][str(body[self.identity])] = body
        found = account.projects.find_by_name(project)
        if found is not None:
            account.projects.assign(f"do:{self.urn}:{body[self.identity]}", found, account.clock.now())
        return body

    def list_all(self, account: Account) -> list[Json]:
        return list(account.collections[self.name].values())

    def get_or_404(self, account: Account, key: str) -> Json:
        """Return the stored JSON. Raises ApiError (404)."""
        body = account.collections[self.name].get(key)
        if body is None:
            raise not_found(_GONE)
        return body

    def register_kind(self, routes: Blueprint) -> ResourceKind:
        """Add the endpoints to `routes` and return the kind."""
        routes.add_url_rule(self.path, f"list_{self.name}", self._list, methods=["GET"])
        routes.add_url_rule(f"{self.path}/<key>", f"show_{self.name}", self._show, methods=["GET"])
        routes.add_url_rule(f"{self.path}/<key>", f"delete_{self.name}", self._delete, methods=["DELETE"])
        return ResourceKind(
            self.name,
            routes,
            path=self.path,
            urn=self.urn,
            tag_type=self.tag_type,
            exists=lambda account, key: key in account.collections[self.name],
            find_taggable=lambda account, key: as_taggable(account.collections[self.name].get(key)),
            tag_counts=(
                (lambda account: count_tags(account.collections[self.name])) if self.tag_type else None
            ),
            count=lambda account: len(account.collections[self.name]),
        )

    def _list(self) -> Json:
        account, tag = request_context.get_account(), request.args.get("tag_name", "").lower()
        found = [
            body
            for body in self.list_all(account)
            if (not tag or tag in map(str.lower, body.get("tags", [])))
            and (not self.named or request.args.get("name", body["name"]) == body["name"])
        ]

        def fetch(start: int, stop: int) -> list[Json]:
            return [self.render(account, body) for body in found[start:stop]]

        # Without `links` and `meta` too, so that a client must see the end of the list in their absence.
        if not self.paged:
            return {self.plural: fetch(0, len(found))}
        return paginate(self.plural, len(found), fetch)

    def _show(self, key: str) -> Json:
        account = request_context.get_account()
        return {self.singular: self.render(account, self.get_or_404(account, key))}

    def _delete(self, key: str) -> tuple[str, int]:
        account = request_context.get_account()
        self.refuse_deletion(account, self.get_or_404(account, key))
        del account.collections[self.name][key]
        # Or the project could never be deleted: it would go on counting a resource that is gone.
        account.projects.unassign(f"do:{self.urn}:{key}")
        return "", 204


def count_tags(resources: Mapping[Key, Json]) -> dict[str, tuple[int, Key]]:
    """Return by tag the number of resources that have it, and the id of the last one."""
    counts: dict[str, tuple[int, Key]] = {}
    for key, body in resources.items():
        for tag in body["tags"]:
            counts[tag] = (counts[tag][0] + 1 if tag in counts else 1, key)
    return counts


def existing_droplet_ids(account: Account, droplet_ids: list[int]) -> list[int]:
    """Return the ids of the droplets that still exist: a deleted one is detached from everything."""
    return [droplet_id for droplet_id in droplet_ids if account.droplets.get(droplet_id) is not None]
