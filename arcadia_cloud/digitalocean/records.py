"""What we take from DigitalOcean's answers: an allow-list.

A field that isn't named here never enters the process, so no secret that an answer carries can reach a
column, an event or a log. Fields without a default are those the mapping can't do without; the others
may be absent, or null, for a token that lacks a scope. Sizes: memory in MB, disk in GB, transfer in TB;
prices in USD, exact as sent. Source: the official OpenAPI document's schemas of the same names.
"""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    Text = str
    Strings = list[str]
    Numbers = list[int]
else:  # null is read as well as absence; `Record` then puts the empty value, so that no reader meets None
    Text = str | None
    Strings = list[str] | None
    Numbers = list[int] | None

Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # a time without a zone is refused, not guessed


class Record(msgspec.Struct, frozen=True, gc=False):
    """Read from JSON, never changed. `gc=False`: what JSON gives has no cycles to collect."""


class NullableRecord(Record, frozen=True, gc=False):
    """A record with fields that come as null now and then: `empty` says what to put instead."""

    empty: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def __post_init__(self) -> None:
        for name, make in self.empty:
            if getattr(self, name) is None:
                msgspec.structs.force_setattr(self, name, make())


class Team(Record, frozen=True, gc=False):
    uuid: str
    name: str = ""


class AccountRecord(Record, frozen=True, gc=False):
    """The account that the token speaks for."""

    uuid: str
    droplet_limit: int
    status: str
    team: Team | None = None

    @property
    def team_uuid(self) -> str:
        """The team's uuid; the user's own where the token isn't of a team."""
        return self.team.uuid if self.team else self.uuid

    @property
    def team_name(self) -> str:
        return self.team.name if self.team else ""


class ProjectRecord(NullableRecord, frozen=True, gc=False):
    id: str
    name: str
    is_default: bool = False
    description: Text = ""
    purpose: Text = ""
    environment: Text = ""
    created_at: Instant | None = None
    updated_at: Instant | None = None

    empty: ClassVar = (("description", str), ("purpose", str), ("environment", str))


class ProjectResourceRecord(Record, frozen=True, gc=False):
    """One resource of a project. `status` matters after an assignment: a 200 can hold `not_found` items."""

    urn: str
    status: str = ""
    assigned_at: Instant | None = None


class GpuInfo(Record, frozen=True, gc=False):
    count: int = 0
    model: str = ""


class SizeRecord(NullableRecord, frozen=True, gc=False):
    slug: str
    memory: int
    vcpus: int
    disk: int
    price_monthly: Decimal
    price_hourly: Decimal
    transfer: Decimal = Decimal(0)
    available: bool = True
    description: Text = ""
    regions: Strings = []
    gpu_info: GpuInfo | None = None

    empty: ClassVar = (("description", str), ("regions", list))


class RegionRecord(NullableRecord, frozen=True, gc=False):
    slug: str
    name: str
    available: bool = True
    features: Strings = []
    sizes: Strings = []

    empty: ClassVar = (("features", list), ("sizes", list))


class ImageRecord(NullableRecord, frozen=True, gc=False):
    """An image, snapshot or backup. `size_gigabytes` is what is billed."""

    id: int
    name: Text = ""
    type: Text = ""
    status: Text = ""
    distribution: Text = ""
    slug: str | None = None
    public: bool = False
    regions: Strings = []
    created_at: Instant | None = None
    min_disk_size: int | None = None
    size_gigabytes: Decimal | None = None
    tags: Strings = []

    empty: ClassVar = (
        ("name", str),
        ("type", str),
        ("status", str),
        ("distribution", str),
        ("regions", list),
        ("tags", list),
    )


class TagCounts(Record, frozen=True, gc=False):
    count: int = 0


class TagRecord(Record, frozen=True, gc=False):
    name: str
    resources: TagCounts | None = None


class ActionRecord(Record, frozen=True, gc=False):
    """A change on its way. `status`: in-progress, completed or errored; no error text is ever told."""

    id: int
    status: str
    type: str
    started_at: Instant | None = None
    completed_at: Instant | None = None
    resource_id: int | None = None
    resource_type: str = ""
    region_slug: str | None = None


class DropletSize(Record, frozen=True, gc=False):
    """The size a droplet was bought at; its flat memory, vcpus and disk are what it has now."""

    slug: str
    price_monthly: Decimal
    price_hourly: Decimal
    memory: int = 0
    vcpus: int = 0
    disk: int = 0
    transfer: Decimal = Decimal(0)


class DropletRegion(Record, frozen=True, gc=False):
    slug: str
    name: str = ""


class DropletImage(NullableRecord, frozen=True, gc=False):
    id: int
    slug: str | None = None
    name: Text = ""
    distribution: Text = ""

    empty: ClassVar = (("name", str), ("distribution", str))


class Address(Record, frozen=True, gc=False):
    ip_address: str
    type: str


if TYPE_CHECKING:
    Addresses = list[Address]
else:
    Addresses = list[Address] | None


class Networks(NullableRecord, frozen=True, gc=False):
    """Empty while the droplet is new."""

    v4: Addresses = []
    v6: Addresses = []

    empty: ClassVar = (("v4", list), ("v6", list))


class BackupWindow(Record, frozen=True, gc=False):
    start: Instant | None = None
    end: Instant | None = None


if TYPE_CHECKING:
    MaybeNetworks = Networks
else:
    MaybeNetworks = Networks | None


class DropletRecord(NullableRecord, frozen=True, gc=False):
    id: int
    name: str
    status: str
    created_at: Instant
    memory: int
    vcpus: int
    disk: int
    size_slug: str
    size: DropletSize
    region: DropletRegion
    locked: bool = False
    image: DropletImage | None = None
    networks: MaybeNetworks = Networks()
    tags: Strings = []
    features: Strings = []
    volume_ids: Strings = []
    snapshot_ids: Numbers = []
    backup_ids: Numbers = []
    vpc_uuid: Text = ""
    next_backup_window: BackupWindow | None = None
    gpu_info: GpuInfo | None = None

    empty: ClassVar = (
        ("tags", list),
        ("features", list),
        ("volume_ids", list),
        ("snapshot_ids", list),
        ("backup_ids", list),
        ("vpc_uuid", str),
        ("networks", Networks),
    )


class ActionLink(Record, frozen=True, gc=False):
    id: int
    rel: str = ""


class ActionLinks(Record, frozen=True, gc=False):
    actions: list[ActionLink] = []


class DropletCreated(Record, frozen=True, gc=False):
    """The answer to a create: 202, which isn't success. Poll the action; it can end errored."""

    droplet: DropletRecord
    links: ActionLinks = ActionLinks()

    @property
    def action_id(self) -> int | None:
        """The create action's id; None where the answer told none."""
        return next((link.id for link in self.links.actions if link.rel == "create"), None)
