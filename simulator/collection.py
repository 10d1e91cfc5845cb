"""Resources that are listed, looked at and deleted: each kind's are on a shelf of the account, by id.

What lies there is the answer's own form, but for what `shown` says anew each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account, ResourceKind, Taggable
from simulator.catalog import Json
from simulator.errors import not_found
from simulator.pagination import paginate

_GONE: Final = "The resource you were accessing could not be found."


def _as_it_lies(_account: Account, body: Json) -> Json:
    return body


class JsonTags:
    """The tags of a JSON body, where the tag endpoints look for them."""

    def __init__(self, body: Json) -> None:
        self._body = body

    @property
    def tags(self) -> list[str]:
        return list(self._body["tags"])

    @tags.setter
    def tags(self, tags: list[str]) -> None:
        self._body["tags"] = tags


@dataclass(frozen=True)
class Collection:
    """A kind's endpoints at `path`: its list under `plural`, each one under `singular` by its `identity`.

    `urn` and `tag_type` as of `ResourceKind`. Some lists have no pages.
    """

    name: str
    path: str
    plural: str
    singular: str
    identity: str = "id"
    urn: str = ""
    tag_type: str = ""
    paged: bool = True
    render: Callable[[Account, Json], Json] = _as_it_lies
    picked: Callable[[Json], bool] = field(default=lambda _body: True)

    def add(self, account: Account, body: Json, *, project: str = "") -> Json:
        """Lay it there, and put it into the project of that name."""
        if "tags" in body:
            body["tags"] = account.register_tags(body["tags"])
        account.collections[self.name][str(body[self.identity])] = body
        home = account.projects.find_by_name(project)
        if home is not None:
            account.projects.assign(f"do:{self.urn}:{body[self.identity]}", home, account.clock.now())
        return body

    def all(self, account: Account) -> list[Json]:
        return list(account.collections[self.name].values())

    def find(self, account: Account, key: str) -> Json:
        """What lies there. Raises ApiError (404)."""
        body = account.collections[self.name].get(key)
        if body is None:
            raise not_found(_GONE)
        return body

    def register_kind(self, routes: Blueprint) -> ResourceKind:
        """The kind, its endpoints added to `routes`."""
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
            find_taggable=self._find_taggable,
            tag_counts=self._tag_counts if self.tag_type else None,
            count=lambda account: len(account.collections[self.name]),
        )

    def _list(self) -> Json:
        account, tag = request_context.get_account(), request.args.get("tag_name", "").lower()
        found = [
            body
            for body in self.all(account)
            if self.picked(body) and (not tag or tag in map(str.lower, body.get("tags", [])))
        ]

        def shown(start: int, stop: int) -> list[Json]:
            return [self.render(account, body) for body in found[start:stop]]

        if not self.paged:
            return {self.plural: shown(0, len(found))}
        return paginate(self.plural, len(found), shown)

    def _show(self, key: str) -> Json:
        account = request_context.get_account()
        return {self.singular: self.render(account, self.find(account, key))}

    def _delete(self, key: str) -> tuple[str, int]:
        account = request_context.get_account()
        self.find(account, key)
        del account.collections[self.name][key]
        account.projects.forget(f"do:{self.urn}:{key}")
        return "", 204

    def _find_taggable(self, account: Account, key: str) -> Taggable | None:
        body = account.collections[self.name].get(key)
        return JsonTags(body) if body is not None and "tags" in body else None

    def _tag_counts(self, account: Account) -> dict[str, tuple[int, str]]:
        counts: dict[str, tuple[int, str]] = {}
        for key, body in account.collections[self.name].items():
            for tag in body["tags"]:
                counts[tag] = (counts.get(tag, (0, ""))[0] + 1, key)
        return counts


def of_living(account: Account, droplet_ids: list[int]) -> list[int]:
    """Those of the droplets that are still there: what they had is set free when they go."""
    return [droplet_id for droplet_id in droplet_ids if account.droplets.get(droplet_id) is not None]
