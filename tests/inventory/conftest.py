"""A sync against the simulator, as the schedule would run it."""

from collections.abc import Sequence
from typing import Protocol

import pytest

from arcadia_cloud.digitalocean import transport
from inventory.models import SyncRun
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.simulated import Simulated


class SyncNow(Protocol):
    """Sync; return the runs by their kind."""

    def __call__(
        self, mode: RunMode = ..., *, kinds: Sequence[str] = ..., confirm_loss: bool = ...
    ) -> dict[str, SyncRun]: ...


@pytest.fixture
def sync(simulator: Simulated, monkeypatch: pytest.MonkeyPatch) -> SyncNow:
    """Syncs from the simulator. Calls are repeated within milliseconds."""
    monkeypatch.setattr(transport, "FIRST_BACKOFF_SECONDS", 0.001)
    simulator.reset(fleet="droplets", seed=1, droplets=0, today=None)

    def now(
        mode: RunMode = RunMode.FULL, *, kinds: Sequence[str] = (), confirm_loss: bool = False
    ) -> dict[str, SyncRun]:
        runs = sync_inventory(mode=mode, requested_by="a test", kinds=kinds, confirm_loss=confirm_loss)
        return {run.kind: run for run in runs}

    return now
