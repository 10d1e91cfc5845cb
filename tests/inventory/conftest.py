"""A sync against the simulator, as the schedule would run it, or as a process."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean import spaces as spaces_module
from arcadia_cloud.digitalocean import spaces_client, transport
from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from inventory.models import SyncRun
from inventory.services import sync_inventory
from inventory.values import RunMode
from simulator.simulation import SPACES_KEY, SPACES_SECRET
from simulator.spaces import clear
from simulator.spaces import serve as serve_spaces
from tests.inventory import bucket_server
from tests.inventory.bucket_server import BucketServer
from tests.processes import test_database_url as database_url
from tests.simulated import Simulated

PROJECT = Path(__file__).resolve().parents[2]


class SyncNow(Protocol):
    """Sync; return the runs by their kind."""

    def __call__(
        self, mode: RunMode = ..., *, kinds: Sequence[str] = ..., confirm_loss: bool = ...
    ) -> dict[str, SyncRun]: ...


@pytest.fixture
def sync(simulator: Simulated, monkeypatch: pytest.MonkeyPatch) -> SyncNow:
    """Syncs droplets, whose story is every kind's, from the simulator; with `kinds=()` all of the mode.

    Calls are repeated within milliseconds.
    """
    monkeypatch.setattr(transport, "FIRST_BACKOFF_SECONDS", 0.001)
    simulator.reset(fleet="droplets", seed=1, droplets=0, today=None)

    def now(
        mode: RunMode = RunMode.FULL, *, kinds: Sequence[str] = ("droplet",), confirm_loss: bool = False
    ) -> dict[str, SyncRun]:
        runs = sync_inventory(mode=mode, actor="a test", kinds=kinds, confirm_loss=confirm_loss)
        return {run.kind: run for run in runs}

    return now


@pytest.fixture(scope="session")
def _spaces_url() -> Iterator[str]:
    with serve_spaces() as url:
        yield url


@pytest.fixture
def spaces(_spaces_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated Spaces without any bucket, which the client here talks to."""
    clear()
    settings.SPACES_ENDPOINT_URL = _spaces_url
    monkeypatch.setenv("SPACES_KEY", SPACES_KEY)
    monkeypatch.setenv("SPACES_SECRET", SPACES_SECRET)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketServer]:
    """An S3 with two buckets, which answers as a test wants. No call is made more than twice."""
    monkeypatch.setattr(spaces_client, "ATTEMPTS", 2)
    monkeypatch.setattr(spaces_module, "REGIONS", ("fra1", "nyc3"))
    monkeypatch.setenv("SPACES_KEY", bucket_server.SPACES_KEY)
    monkeypatch.setenv("SPACES_SECRET", bucket_server.SPACES_SECRET)
    with bucket_server.bucket_server() as served:
        settings.SPACES_ENDPOINT_URL = served.url
        served.buckets = {"nyc3": {"media": 3}, "fra1": {"exports": 2}}
        yield served


def synced_buckets(sync: SyncNow) -> SyncRun:
    """The run of the buckets."""
    return sync(kinds=["spaces_bucket"])["spaces_bucket"]


class Commands(Protocol):
    """Starts `manage.py` with a command; `environment` is laid over this process's."""

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = ...) -> ChildProcess: ...


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Commands]:
    started: list[ChildProcess] = []

    def start(*arguments: str, environment: Mapping[str, str] | None = None) -> ChildProcess:
        surroundings = {**os.environ, "DATABASE_URL": database_url(), **(environment or {})}
        command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
        child = start_child(f"manage-{len(started)}", command, folder=tmp_path, environment=surroundings)
        started.append(child)
        return child

    yield start
    stop_children(started, by=signal.SIGKILL, within_seconds=5)


def ended(child: ChildProcess, *, status: int = 0, within_seconds: float = 90) -> str:
    """Return its output, once it ended with this status."""
    assert child.process.wait(within_seconds) == status, child.last_lines(40)
    return child.logged()
