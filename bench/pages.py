"""A server of pre-rendered pages of droplets, in a process of its own: `python -m bench.pages COUNT`.

It does as little as a server can, so that a bench of clients measures the clients. It prints its port,
and ends when its standard input does.
"""

import asyncio
import json
import re
import sys
from typing import Any

PER_PAGE = 200
_ACCOUNT = b"GET /v2/account "
_PAGE = re.compile(rb"[?&]page=(\d+)")
_REGIONS = [
    "ams2",
    "ams3",
    "blr1",
    "fra1",
    "lon1",
    "nyc1",
    "nyc2",
    "nyc3",
    "sfo1",
    "sfo2",
    "sfo3",
    "sgp1",
    "tor1",
]
_SHAPES = ("1vcpu-1gb", "2vcpu-4gb", "4vcpu-8gb", "8vcpu-16gb")
_SIZES = [f"{kind}-{shape}{chip}" for kind in "scgm" for shape in _SHAPES for chip in ("", "-amd", "-intel")]


def droplet(number: int) -> dict[str, Any]:
    """What the API sends for one droplet with backups and a volume: about 2.7 KB."""
    tail = f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {
        "id": 300_000_000 + number,
        "name": f"tenant-{number % 997}-web-{number:06d}.example.com",
        "memory": 2048,
        "vcpus": 1,
        "disk": 50,
        "disk_info": [{"type": "local", "size": {"amount": 50, "unit": "gib"}}],
        "locked": False,
        "status": "active" if number % 11 else "off",
        "kernel": None,
        "created_at": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T18:37:{number % 60:02d}Z",
        "features": ["backups", "private_networking", "ipv6", "monitoring", "droplet_agent"],
        "backup_ids": [530_000_000 + number, 530_100_000 + number],
        "next_backup_window": {"start": "2026-07-30T00:00:00Z", "end": "2026-07-30T23:00:00Z"},
        "snapshot_ids": [670_000_000 + number],
        "image": {
            "id": 155_133_621,
            "name": "24.04 (LTS) x64",
            "distribution": "Ubuntu",
            "slug": "ubuntu-24-04-x64",
            "public": True,
            "regions": _REGIONS,
            "created_at": "2026-05-15T05:47:50Z",
            "type": "snapshot",
            "min_disk_size": 20,
            "size_gigabytes": 2.36,
            "description": "Ubuntu 24.04 (LTS) x64",
            "tags": [],
            "status": "available",
            "error_message": "",
        },
        "volume_ids": [f"506f78a4-e098-11e5-ad9f-{number:012d}"],
        "size": {
            "slug": "s-1vcpu-2gb",
            "memory": 2048,
            "vcpus": 1,
            "disk": 50,
            "transfer": 2.0,
            "price_monthly": 12.0,
            "price_hourly": 0.01786000095307827,
            "regions": _REGIONS,
            "available": True,
            "description": "Basic",
            "networking_throughput": 2000,
        },
        "size_slug": "s-1vcpu-2gb",
        "networks": {
            "v4": [
                _address(f"10.{tail}", "<nil>", "private"),
                _address(f"64.{tail}", "64.0.16.1", "public"),
            ],
            "v6": [_address(f"2604:a880:400:d0::{number:x}", "2604:a880:400:d0::1", "public")],
        },
        "region": {
            "name": "Frankfurt 1",
            "slug": "fra1",
            "features": ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
            "available": True,
            "sizes": _SIZES,
        },
        "tags": [f"tenant:t-{number % 997}", f"deployment:web-{number % 4999}", "env:production"],
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
    }  # fmt: skip


def _address(address: str, gateway: str, kind: str) -> dict[str, Any]:
    return {"ip_address": address, "netmask": "255.255.240.0", "gateway": gateway, "type": kind}


def account() -> dict[str, Any]:
    """What the API sends for the account, which our client asks for once."""
    named = {"uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", "status": "active", "status_message": ""}
    limits = {"droplet_limit": 1_000_000, "floating_ip_limit": 5}
    return {"account": {**named, **limits, "email": "bench@example.com", "email_verified": True}}


def answers(count: int) -> list[bytes]:
    """Every page as it goes over the wire, headers included."""
    last = max(1, -(-count // PER_PAGE))
    return [_answer(number, last, count) for number in range(1, last + 1)]


def _answer(number: int, last: int, count: int) -> bytes:
    where = "https://api.digitalocean.com/v2/droplets?per_page=200&page="
    pages = {"next": f"{where}{number + 1}", "last": f"{where}{last}"} if number < last else {}
    items = [droplet(each) for each in range((number - 1) * PER_PAGE, min(number * PER_PAGE, count))]
    return _rendered({"droplets": items, "links": {"pages": pages}, "meta": {"total": count}})


def _rendered(page: dict[str, Any]) -> bytes:
    body = json.dumps(page, separators=(",", ":")).encode()
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nratelimit-limit: 5000\r\nratelimit-remaining: 4999\r\n"
        "ratelimit-reset: 1800000000\r\nx-request-id: 4d9d8375-3c56-4925-a3e7-eb137fed17e9\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, pages: list[bytes]) -> None:
        self._pages = pages
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if head.startswith(_ACCOUNT):
                self._transport.write(_rendered(account()))
                continue
            asked = _PAGE.search(head.split(b"\r\n", 1)[0])
            number = int(asked[1]) if asked else 1
            self._transport.write(self._pages[min(number, len(self._pages)) - 1])


async def _serve(count: int) -> None:
    pages = answers(count)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(pages), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
