"""Volumes of a provision that is undone while they are being attached, or after somebody moved them."""

import time
from dataclasses import replace

import pytest

from provisioning import registry
from provisioning.contract import StepState
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import cancel_saga
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.deployment_cases import Ended, ended, published_template, subscribed

NOT_MADE = Ended("paused", ["paused"], [], [], 0, 0, 0)
ATTACH = "/v2/volumes/.*/actions$"


def _run_until_attaching(saga: SagaRun) -> None:
    deadline = time.monotonic() + 20
    while saga.steps.filter(name="attach_volume@data", status="waiting").first() is None:
        assert time.monotonic() < deadline
        run(saga.pk)
        time.sleep(0.02)


@pytest.mark.parametrize("answer", ["known", "lost"])
def test_a_cancel_while_a_volume_is_being_attached_leaves_nothing(cloud: Cloud, answer: str) -> None:
    deployment = subscribed("kiosk")
    published_template()
    cloud.fault("slow_actions", method="POST", path=ATTACH, factor=20)
    if answer == "lost":
        cloud.fault("drop_after", method="POST", path=ATTACH)
    saga = start("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    _run_until_attaching(saga)
    cancel_saga(saga_id=saga.pk, actor="jo")
    run_to_end(saga)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == NOT_MADE


def test_a_volume_that_was_attached_to_another_droplet_is_left_to_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = subscribed("kiosk")
    published_template()
    order = {"name": "other", "size": "s-1vcpu-1gb", "region": "fra1", "count": 1}
    (other,) = cloud.simulator.control("POST", "droplets", **order)["droplets"]

    def move_volume(_state: StepState) -> None:
        (volume,) = [each for each in cloud.all("/v2/volumes", "volumes") if each["name"] == "kiosk-data"]
        for kind, droplet_id in (("detach", volume["droplet_ids"][0]), ("attach", other["id"])):
            path = f"/v2/volumes/{volume['id']}/actions"
            asked = cloud.api.ask("POST", path, {"type": kind, "droplet_id": droplet_id})
            assert asked.status_code == 202, asked.text
            time.sleep(0.1)
        raise RuntimeError("moved")

    step = registry.step_named("finish_provision")
    assert step is not None
    monkeypatch.setitem(registry._steps, step.name, replace(step, execute=move_volume))
    saga = start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 1)
    assert ended(cloud, deployment) == Ended("paused", ["paused"], [], [("kiosk-data", True)], 0, 0, 0)
