"""Storage: images, snapshots, volumes, container registries, buckets and their CDN endpoints."""

from decimal import Decimal
from typing import ClassVar

from arcadia_cloud.digitalocean.records.base import (
    Instant,
    NullableRecord,
    Numbers,
    Record,
    Region,
    Strings,
    Text,
)


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


class SnapshotRecord(NullableRecord, frozen=True, gc=False):
    """A snapshot of a droplet (a whole number for its id, as text) or of a volume (a uuid).

    `size_gigabytes` is what is billed; `resource_id` is what it was taken of, alive or not.
    """

    id: str
    name: str
    created_at: Instant
    size_gigabytes: Decimal
    resource_id: Text = ""
    resource_type: Text = ""
    regions: Strings = []
    min_disk_size: int | None = None
    tags: Strings = []

    empty: ClassVar = (("resource_id", str), ("resource_type", str), ("regions", list), ("tags", list))


class VolumeRecord(NullableRecord, frozen=True, gc=False):
    """Block storage. `size_gigabytes` is in GiB, and billed whether attached or not."""

    id: str
    name: str
    size_gigabytes: Decimal
    region: Region
    created_at: Instant | None = None
    droplet_ids: Numbers = []
    description: Text = ""
    filesystem_type: Text = ""
    filesystem_label: Text = ""
    tags: Strings = []

    empty: ClassVar = (
        ("droplet_ids", list),
        ("description", str),
        ("filesystem_type", str),
        ("filesystem_label", str),
        ("tags", list),
    )


class RegistryTier(NullableRecord, frozen=True, gc=False):
    """`monthly_price_in_cents` is in US cents, for all registries of the account together."""

    slug: Text = ""
    monthly_price_in_cents: int | None = None

    empty: ClassVar = (("slug", str),)


class RegistrySubscription(Record, frozen=True, gc=False):
    tier: RegistryTier | None = None


class RegistryRecord(NullableRecord, frozen=True, gc=False):
    """A container registry, known by its name."""

    name: str
    region: Text = ""
    created_at: Instant | None = None
    storage_usage_bytes: int | None = None
    subscription: RegistrySubscription | None = None

    empty: ClassVar = (("region", str),)


class BucketRecord(Record, frozen=True, gc=False):
    """A Spaces bucket as its region lists it, known by its name."""

    name: str
    region: str
    created_at: Instant | None = None


class CdnEndpointRecord(NullableRecord, frozen=True, gc=False):
    """A CDN in front of a Spaces bucket, whose own address is `origin`. `ttl` is in seconds."""

    id: str
    origin: str
    endpoint: Text = ""
    custom_domain: Text = ""
    certificate_id: Text = ""
    ttl: int | None = None
    created_at: Instant | None = None

    empty: ClassVar = (("endpoint", str), ("custom_domain", str), ("certificate_id", str))
