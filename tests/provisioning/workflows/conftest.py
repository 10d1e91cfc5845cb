"""Workflows run by the engine against the simulated provider, whose time runs fast."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean import transport
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning import registry
from provisioning.contract import Inputs
from provisioning.engine import attempt
from tests.provisioning.crashes import Crashes
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.crash_cases import Batch
from tests.simulated import Simulated

SPEED = 200.0  # virtual seconds in a real one: a create takes 0.15 seconds
LAG_SECONDS = 0.5  # how long lists by tag are not believed; 100 virtual ones
CRASH_SPEED = 15.0  # a resize takes 4 seconds, longer than what clocks may differ by
CRASHING = {
    "ARCADIA_SAGA_LEASE_SECONDS": "2",
    "DO_TIMEOUT_SECONDS": "3",  # a lease is that long after a write
    "ARCADIA_SAGA_POLL_SECONDS": "1",
    "ARCADIA_SAGA_TAG_LAG_SECONDS": "1",
    "ARCADIA_CREATES_PER_HOUR": "100000",
}

FailAfter: TypeAlias = Callable[[str, int], str]


@pytest.fixture
def fail_after(monkeypatch: pytest.MonkeyPatch) -> FailAfter:
    """Makes a workflow whose first steps are another's, and whose next one fails; returns its kind."""

    def make(kind: str, done: int) -> str:
        workflow = registry.workflow_of(kind)
        assert workflow is not None
        inputs = workflow.inputs

        def steps(self: Inputs) -> Sequence[str]:
            return [*inputs.steps(self)[:done], "fail"]

        failing_inputs = type(
            f"{inputs.__name__}Fails", (inputs,), {"steps": steps}, frozen=True, kw_only=True
        )
        failing = replace(workflow, kind=f"{kind}_fails", inputs=failing_inputs)
        monkeypatch.setitem(registry._workflows, failing.kind, failing)
        return failing.kind

    return make


@pytest.fixture
def cloud(
    simulator: Simulated, settings: Settings, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[Cloud]:
    """The simulated provider with its default fleet, droplets synced; pauses are milliseconds."""
    monkeypatch.setattr(transport, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(attempt, "LONGEST_BACKOFF_SECONDS", 0.02)
    settings.ARCADIA_SAGA_POLL_SECONDS = 0.02
    settings.ARCADIA_SAGA_TAG_LAG_SECONDS = LAG_SECONDS
    settings.DO_TIMEOUT_SECONDS = 5
    simulator.reset(fleet="default", seed=1, droplets=0, today=None, speed=SPEED)
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "snapshot"])
    with Cloud(simulator) as cloud:
        simulator.control("DELETE", "requests")
        yield cloud
    simulator.reset(fleet="default", seed=1, droplets=0, today=None, speed=1.0)


@pytest.fixture
def batch(
    cloud: Cloud,
    fail_after: FailAfter,
    patient_broker: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Batch:
    """Runs sagas on workers that may die. Actions last long enough for their times to differ."""
    cloud.simulator.reset(fleet="default", seed=1, droplets=0, today=None, speed=CRASH_SPEED)
    for name, value in CRASHING.items():
        monkeypatch.setenv(name, value)

    def failing(kind: str) -> str:
        return fail_after(kind, 100)

    return Batch(cloud, Crashes(tmp_path), failing)
