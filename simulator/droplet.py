"""A droplet, and its JSON."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from ipaddress import IPv4Address
from typing import Final

from simulator.catalog import ENCODED, SIZES, Json
from simulator.clock import format_time

_PUBLIC: Final = int(IPv4Address("198.18.0.0"))  # RFC 2544's range for benchmarks, which no host has
_PUBLIC_HOSTS: Final = 1 << 17
_PRIVATE: Final = int(IPv4Address("10.100.0.0"))
_BACKUP_HOURS: Final = 4
NAMESPACE: Final = uuid.UUID("6d1f3c1e-6b1c-5f0e-9c4b-0d5a3f2e7a10")


@dataclass(slots=True)
class Droplet:
    """One droplet.

    `address` numbers its IP addresses, `pending` is the id of the action that locks it. `created_virtual` and
    `deleted_virtual` are virtual seconds; a fleet's droplets were always there.
    """

    id: int
    name: str
    size: str
    region: str
    image: int
    created_at: datetime
    address: int
    tags: list[str]
    status: str = "active"
    disk: int = 0
    ipv6: bool = False
    monitoring: bool = True
    backup_policy: Json | None = None
    backup_ids: list[int] = field(default_factory=list)
    snapshot_ids: list[int] = field(default_factory=list)
    volume_ids: list[str] = field(default_factory=list)
    vpc_uuid: str = ""
    pending: int | None = None
    created_virtual: float = float("-inf")
    deleted_virtual: float = 0.0

    def __post_init__(self) -> None:
        self.disk = self.disk or int(SIZES[self.size]["disk"])

    @property
    def urn(self) -> str:
        return f"do:droplet:{self.id}"

    @property
    def is_gpu(self) -> bool:
        return "gpu_info" in SIZES[self.size]


def default_vpc(team: str, region: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{team}/vpc/{region}"))


def backup_window(policy: Mapping[str, object] | None, now: datetime) -> Json | None:
    """Return the next window of a backup policy: at its hour today, or tomorrow once that has passed."""
    if policy is None:
        return None
    hour = policy["hour"]
    if not isinstance(hour, int):
        raise TypeError("a policy's hour is an integer")
    start = datetime.combine(now.date(), time_of_day(hour), UTC)
    if start <= now:
        start += timedelta(days=1)
    return {"start": format_time(start), "end": format_time(start + timedelta(hours=_BACKUP_HOURS))}


def _format_ipv4(address: int) -> str:
    """Format an address as `str(IPv4Address(address))` does, which takes a fifth of a page's time."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def _networks(droplet: Droplet) -> Json:
    if droplet.status == "new":  # DigitalOcean assigns the addresses while it creates the droplet
        return {"v4": [], "v6": []}
    # Never out of the network for benchmarks: no test may meet an address of a real host.
    host = droplet.address % _PUBLIC_HOSTS
    v4: list[Json] = [
        {"ip_address": _format_ipv4(_PRIVATE + host), "netmask": "255.252.0.0", "gateway": "nil",
         "type": "private"},
        {"ip_address": _format_ipv4(_PUBLIC + host), "netmask": "255.255.240.0", "gateway": "198.18.0.1",
         "type": "public"},
    ]  # fmt: skip
    v6: list[Json] = []
    if droplet.ipv6:
        v6.append(
            {"ip_address": f"2001:db8:0:{host >> 12:x}::{host & 0xFFF:x}", "netmask": 64,
             "gateway": f"2001:db8:0:{host >> 12:x}::1", "type": "public"}
        )  # fmt: skip
    return {"v4": v4, "v6": v6}


def _features(droplet: Droplet) -> list[str]:
    features = ["droplet_agent", "private_networking"]
    if droplet.backup_policy is not None:
        features.insert(0, "backups")
    if droplet.ipv6:
        features.append("ipv6")
    if droplet.monitoring:
        features.append("monitoring")
    return features


def render_droplet(droplet: Droplet, *, images: Mapping[int, Json], now: datetime) -> Json:
    """Render the droplet as DigitalOcean does. `images` are the account's own, besides the public ones.

    Region, size and image are encoded already: they can be sent, and not be read. The flat `disk` is the real
    one: it differs from the size's after a resize that kept the disk.
    """
    size = SIZES[droplet.size]
    body: Json = {
        "id": droplet.id,
        "name": droplet.name,
        "memory": size["memory"],
        "vcpus": size["vcpus"],
        # Of the droplet, where the size would do for all but those resized without their disk.
        "disk": droplet.disk,
        "disk_info": [
            {"type": "local", "size": {"amount": droplet.disk, "unit": "gib"}},
            *size["disk_info"][1:],
        ],
        "locked": droplet.pending is not None,
        "status": droplet.status,
        "kernel": None,
        "created_at": format_time(droplet.created_at),
        "features": _features(droplet),
        "backup_ids": droplet.backup_ids,
        "next_backup_window": backup_window(droplet.backup_policy, now),
        "snapshot_ids": droplet.snapshot_ids,
        "image": ENCODED.get(droplet.image) or images.get(droplet.image) or {},
        "volume_ids": droplet.volume_ids,
        "size": ENCODED[droplet.size],
        "size_slug": droplet.size,
        "networks": _networks(droplet),
        "region": ENCODED[droplet.region],
        "tags": droplet.tags,
        "vpc_uuid": droplet.vpc_uuid,
    }
    if droplet.is_gpu:
        body["gpu_info"] = size["gpu_info"]
    return body
