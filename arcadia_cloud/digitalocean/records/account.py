"""The account, its projects and tags, what it may order, and the changes on their way."""

from decimal import Decimal
from typing import ClassVar

from arcadia_cloud.digitalocean.records.base import Instant, NullableRecord, Record, Strings, Text


class Team(Record, frozen=True, gc=False):
    uuid: str
    name: str = ""


class AccountRecord(Record, frozen=True, gc=False):
    """The account that the token speaks for. A limit that the response doesn't have is None.

    Source: the official document for the first two limits; godo's `Account` for the others.
    """

    uuid: str
    droplet_limit: int
    status: str
    volume_limit: int | None = None
    reserved_ip_limit: int | None = None
    floating_ip_limit: int | None = None  # the same, under its former name
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


class TagCounts(Record, frozen=True, gc=False):
    count: int = 0


class TagRecord(Record, frozen=True, gc=False):
    name: str
    resources: TagCounts | None = None


class ActionRecord(Record, frozen=True, gc=False):
    """A change on its way. `status`: in-progress, completed or errored; no error text ever comes."""

    id: int
    status: str
    type: str
    started_at: Instant | None = None
    completed_at: Instant | None = None
    resource_id: int | None = None
    resource_type: str = ""
    region_slug: str | None = None
