"""Brokers that are away in different ways: refusing, silent, stopped."""

import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from celery import current_app

from arcadia_cloud.embedded.valkey import Valkey, free_port
from tests.processes import hanging


def use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Publish there, for the test.

    As an item: to read it as an attribute gives whatever it falls back on, and that would be left behind.
    """
    monkeypatch.setitem(current_app.conf, "broker_write_url", url)


def refusing() -> str:
    """Return the address of a port without a listener."""
    return f"redis://127.0.0.1:{free_port()}/0"


@contextmanager
def silent() -> Iterator[str]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextmanager
def full() -> Iterator[str]:
    """A port that doesn't even take a connection: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        time.sleep(0.05)
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        finally:
            for client in waiting:
                client.close()


@contextmanager
def answering(folder: Path) -> Iterator[Valkey]:
    """A Valkey of the test's own."""
    valkey = Valkey(folder)
    valkey.start()
    try:
        yield valkey
    finally:
        valkey.stop()


@contextmanager
def stopped(folder: Path) -> Iterator[str]:
    """A Valkey that is stopped in its tracks (SIGSTOP)."""
    with answering(folder) as valkey:
        assert valkey.child is not None
        with hanging(valkey.child):
            yield valkey.url


def away(way: str, folder: Path) -> AbstractContextManager[str]:
    """A broker that is away in the way of that name."""
    if way == "refusing":
        return nullcontext(refusing())
    if way == "unknown host":
        return nullcontext("redis://no-such-host.invalid:6379/0")
    if way == "stopped":
        return stopped(folder)
    return silent() if way == "silent" else full()
