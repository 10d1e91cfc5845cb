"""A provider on loopback that answers as a test asks, fault by fault."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_servers import QuickHandler, serve_in_thread


@dataclass(frozen=True)
class Reply:
    """One answer. `drop`: the connection ends without one; `cut`: it ends after so many bytes of the body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    delay: float = 0.0
    drip_seconds: float = 0.0
    then_close: bool = False


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    connection: int


Script = Callable[[Seen], Reply]


class Provider(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.seen: list[Seen] = []
        self.connections = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(QuickHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.number = self.server.connections

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        sent = self.rfile.read(length)
        seen = Seen(
            self.command,
            parts.path,
            {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(sent) if sent else None,
            self.number,
        )
        self.server.seen.append(seen)
        self._answer(self.server.script(seen))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names

    def _answer(self, reply: Reply) -> None:
        if reply.delay:
            time.sleep(reply.delay)
        if reply.drop:
            self._reset()
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        headers = {"content-type": "application/json", **reply.headers}
        if reply.status != 204:
            headers.setdefault("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.drip_seconds:
            self._drip(body, reply.drip_seconds)
        elif reply.status != 204:
            self.wfile.write(body[: reply.cut])
        self.wfile.flush()
        if reply.cut is not None or reply.then_close:
            self.close_connection = True

    def _drip(self, body: bytes, seconds: float) -> None:
        for byte in body:
            time.sleep(seconds)
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()


@contextmanager
def provider(script: Script) -> Iterator[Provider]:
    """Have it up for the block."""
    server = Provider(script)
    with serve_in_thread(server):
        yield server


def one_after_another(*replies: Reply) -> Script:
    """Answers in turn; the last one for all that follow."""
    left = list(replies)
    lock = threading.Lock()

    def answer(_seen: Seen) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def droplet(number: int, **changes: Any) -> dict[str, Any]:
    """A droplet as the provider sends it, with what we don't take, too."""
    return {
        "id": number,
        "name": f"web-{number}",
        "memory": 1024,
        "vcpus": 1,
        "disk": 25,
        "locked": False,
        "status": "active",
        "kernel": None,
        "created_at": "2026-01-31T18:37:44Z",
        "features": ["private_networking"],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "image": {"id": 63663980, "name": "24.04 x64", "distribution": "Ubuntu", "slug": "ubuntu-24-04-x64"},
        "volume_ids": [],
        "size": {
            "slug": "s-1vcpu-1gb",
            "memory": 1024,
            "vcpus": 1,
            "disk": 25,
            "transfer": 1.0,
            "price_monthly": 6.0,
            "price_hourly": 0.00893000047653914,
            "regions": ["fra1"],
            "available": True,
            "description": "Basic",
        },
        "size_slug": "s-1vcpu-1gb",
        "networks": {
            "v4": [{"ip_address": "10.0.0.2", "netmask": "255.255.0.0", "gateway": "nil", "type": "private"}]
        },
        "region": {"name": "Frankfurt 1", "slug": "fra1", "features": [], "available": True, "sizes": []},
        "tags": ["web"],
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
        **changes,
    }


def page_of(
    key: str, items: list[Any], *, total: int | None = None, next_address: str = ""
) -> dict[str, Any]:
    """A page in the provider's shape."""
    pages = {"next": next_address} if next_address else {}
    return {key: items, "links": {"pages": pages}, "meta": {"total": len(items) if total is None else total}}
