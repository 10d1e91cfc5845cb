"""One DigitalOcean account (a team) and its resources."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from flask import Blueprint

from simulator.actions import ActionStore
from simulator.catalog import Json
from simulator.clock import Clock
from simulator.droplet import NAMESPACE
from simulator.droplet_store import FIRST_CREATED_ID, DropletStore
from simulator.projects import ProjectStore
from simulator.synthetic_droplets import SyntheticDroplets

NEWEST_CREATED_ON = date(2025, 6, 1)
_FIRST_IMAGE_ID = 170_000_000


class Taggable(Protocol):
    """A resource that carries tags."""

    tags: list[str]


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resource: its endpoints, and the functions by which projects and tags find one of it.

    `urn` is the type in its URN, empty where DigitalOcean puts none into a project; `tag_type` is its
    `resource_type` when it is tagged.
    """

    name: str
    routes: Blueprint
    path: str = ""
    urn: str = ""
    tag_type: str = ""
    exists: "Callable[[Account, str], bool] | None" = None
    find_taggable: "Callable[[Account, str], Taggable | None] | None" = None
    tag_counts: "Callable[[Account], Mapping[str, tuple[int, int | str]]] | None" = None
    count: "Callable[[Account], int] | None" = None


class Account:
    def __init__(
        self, *, team: str, seed: int, droplets: int, clock: Clock, kinds: tuple[ResourceKind, ...]
    ) -> None:
        self.team = team
        self.clock = clock
        self.kinds = kinds
        self.uuid = str(uuid.uuid5(NAMESPACE, f"{seed}/team/{team}"))
        self.owner_uuid = str(uuid.uuid5(NAMESPACE, f"{seed}/owner/{team}"))
        # Above the synthetic droplets, so that a client can still create some.
        self.droplet_limit = droplets + 1000
        self.volume_limit = 100
        self.reserved_ip_limit = 25
        newest = min(clock.now().date(), NEWEST_CREATED_ON)
        self.droplets = DropletStore(SyntheticDroplets(seed=seed, count=droplets, newest=newest, team=team))
        self.projects = ProjectStore(seed=seed, team=team, synthetic=self.droplets.synthetic)
        self.actions = ActionStore(clock, self.droplets.synthetic)
        self.images: dict[int, Json] = {}
        self.source_droplet_ids: dict[int, int] = {}  # by image; the droplet may be deleted
        # By the name of the collection, then by id.
        self.collections: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        self.tags: dict[str, str] = {}  # by the lower-case form, the spelling that came first
        self._next_droplet = FIRST_CREATED_ID
        self._next_image = _FIRST_IMAGE_ID

    def new_droplet_id(self) -> int:
        self._next_droplet += 1
        return self._next_droplet

    def new_image_id(self) -> int:
        self._next_image += 1
        return self._next_image

    def has_resource(self, urn: str) -> bool:
        """Return True if the account has the resource of that URN."""
        _, _, rest = urn.partition(":")
        kind_name, _, key = rest.partition(":")
        if kind_name == "space":
            # Buckets are another server's: this one knows those that are in a project, as every bucket is.
            return self.projects.find_project_id(urn) is not None
        return any(
            kind.urn == kind_name and kind.exists is not None and kind.exists(self, key)
            for kind in self.kinds
        )

    def resource_path(self, urn: str) -> str:
        kind_name, _, key = urn.removeprefix("do:").partition(":")
        return next((f"{kind.path}/{key}" for kind in self.kinds if kind.urn == kind_name), "/v2/")

    def register_tags(self, names: Sequence[str]) -> list[str]:
        """Return the tags in the spelling that came first, each once, and create those that are new."""
        found: dict[str, str] = {}
        # A tag keeps the capitals that it was first created with, whatever a later request has.
        for name in names:
            found[name.lower()] = self.tags.setdefault(name.lower(), name)
        return list(found.values())

    def delete_image(self, image_id: int) -> None:
        """Delete the image, and its id from the droplet that it was taken of."""
        del self.images[image_id]
        for droplet in self.droplets.iter_stored():
            droplet.snapshot_ids = [each for each in droplet.snapshot_ids if each != image_id]
            droplet.backup_ids = [each for each in droplet.backup_ids if each != image_id]

    def delete_droplet(self, droplet_id: int) -> None:
        """Delete the droplet and take it out of its project; its snapshots stay. Raises KeyError."""
        droplet = self.droplets.get(droplet_id)
        if droplet is None:
            raise KeyError(droplet_id)
        # Stamped before the store drops it: the fault `deleted_linger` lists it for some time yet.
        droplet.deleted_virtual = self.clock.virtual()
        self.droplets.remove(droplet_id)
        self.projects.unassign(droplet.urn)
