"""Updates of a deployment's droplets whose ways back are blocked, or whose droplets were off."""

from dataclasses import replace
from typing import Any

import pytest

from inventory.models import Resource
from provisioning import registry
from provisioning.contract import Step, StepState
from provisioning.services import protect
from provisioning.steps import health
from tests.provisioning.sagas import ledger, start_and_run
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.deployment_cases import NEW_IMAGE, ended, reason, running, suspended


@pytest.fixture
def never_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the health check fail at once."""
    (step,) = health.STEPS
    monkeypatch.setitem(registry._steps, step.name, replace(step, execute=_fail))


def _fail(_state: StepState) -> None:
    raise RuntimeError("it isn't healthy")


def _protect_and_fail(state: StepState) -> None:
    protect(resource_pk=Resource.objects.get(name="kiosk-1").pk, actor="jo")
    _fail(state)


def test_a_snapshot_outlives_a_restore_that_a_protection_forbids(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = running(cloud, "kiosk")
    (step,) = health.STEPS
    monkeypatch.setitem(registry._steps, step.name, replace(step, execute=_protect_and_fail))
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE)
    assert (saga.status, reason(saga)) == ("rolled_back", "step_failed:check_health")
    (left,) = [name for name in cloud.snapshots() if name.startswith("kiosk-")]
    assert left.startswith("kiosk-1-"), "the only copy of what was on the protected droplet's disk"
    names = [name.partition("@")[0] for name, status in ledger(saga) if status == "compensation_failed"]
    assert names == ["snapshot_droplet", "rebuild_droplet"]


@pytest.mark.usefixtures("never_healthy")
def test_snapshots_outlive_restores_that_fail(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = running(cloud, "kiosk", droplets=1)
    rebuild = registry.step_named("rebuild_droplet")
    assert isinstance(rebuild, Step)
    monkeypatch.setitem(registry._steps, rebuild.name, replace(rebuild, compensation_retries=2))
    cloud.fault("errored_action", type="restore", count=0)
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE)
    cloud.simulator.control("DELETE", "faults")
    assert saga.status == "rolled_back"
    assert ended(cloud, deployment).snapshots == 1


@pytest.mark.usefixtures("never_healthy")
def test_restored_droplets_leave_no_snapshots(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment).snapshots == 0


@pytest.mark.parametrize("image", ["no-such-image", 999_999_999])
def test_an_image_that_is_not_there_is_refused_before_any_snapshot(cloud: Cloud, image: Any) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=image)
    assert reason(saga) == "step_failed:require_image"
    assert not any(
        each["type"] in {"snapshot", "restore", "rebuild"} for each in cloud.all("/v2/actions", "actions")
    )


def test_a_refused_rebuild_restores_nothing(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    cloud.fault("forbidden", method="POST", path="/v2/droplets/.*/actions$", after=2, count=1)
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE)
    assert (saga.status, reason(saga)) == ("rolled_back", _rebuild_of("kiosk-1"))
    types = {each["type"] for each in cloud.all("/v2/actions", "actions")[:10]}
    assert "restore" not in types
    assert saga.compensation_failures == 0
    assert ended(cloud, deployment).snapshots == 0


def _rebuild_of(name: str) -> str:
    return f"step_failed:rebuild_droplet@{Resource.objects.get(name=name).provider_id}"


def test_an_update_leaves_off_what_was_off(cloud: Cloud) -> None:
    deployment = suspended(cloud, "kiosk", droplets=1)
    saga = start_and_run("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE)
    assert saga.status == "completed", saga.error
    found = ended(cloud, deployment)
    assert (found.state, found.droplets) == ("suspended", [("kiosk-1", "off", NEW_IMAGE)])
    assert Resource.objects.get(name="kiosk-1").status == "off"
