"""Droplets."""

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from arcadia_cloud.digitalocean.records.account import GpuInfo
from arcadia_cloud.digitalocean.records.base import Instant, NullableRecord, Numbers, Record, Strings, Text


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
    """The image that a droplet was made from; without an id where that is deleted, as a snapshot may be."""

    id: int | None = None
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


class DropletCreateResponse(Record, frozen=True, gc=False):
    """The response to a create: 202, which isn't success. Poll the action; it can end errored."""

    droplet: DropletRecord
    links: ActionLinks = ActionLinks()

    @property
    def action_id(self) -> int | None:
        """The create action's id; None where the response has none."""
        return next((link.id for link in self.links.actions if link.rel == "create"), None)
