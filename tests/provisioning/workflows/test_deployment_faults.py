"""The workflows of deployments under what DigitalOcean may do."""

from typing import Any

import pytest

from tests.provisioning.sagas import start_and_run
from tests.provisioning.workflows.cloud import PASSING, Cloud, crossed
from tests.provisioning.workflows.deployment_cases import (
    IMAGE,
    Ended,
    ended,
    published_template,
    running,
    subscribed,
)

WRITES: dict[str, dict[str, Any]] = {
    "volume": {"method": "POST", "path": "/v2/volumes$"},
    "attachment": {"method": "POST", "path": "/v2/volumes/.*/actions$"},
    "second droplet": {"method": "POST", "path": "/v2/droplets$", "after": 1},
}
REMOVALS: dict[str, dict[str, Any]] = {
    "record": {"method": "DELETE", "path": "/records/"},
    "droplet": {"method": "DELETE", "path": "/v2/droplets/"},
    "snapshot": {"method": "POST", "path": "/actions$", "after": 1},
}
MADE = Ended(
    "active",
    ["active"],
    [("kiosk-db", "active", IMAGE), ("kiosk-web", "active", IMAGE)],
    [("kiosk-data", True)],
    1,
    1,
    0,
)
NOT_MADE = Ended("paused", ["paused"], [], [], 0, 0, 0)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    crossed(metafunc, write=WRITES)
    if "removal" in metafunc.fixturenames and not metafunc.config.getoption("--matrix"):
        pairs = zip(("lost answer", "500", "pending event"), REMOVALS, strict=True)
        metafunc.parametrize(("fault", "removal"), list(pairs))
    else:
        crossed(metafunc, removal=REMOVALS)


def test_what_passes_is_outlived_at_every_write(cloud: Cloud, fault: str, write: str) -> None:
    deployment = subscribed("kiosk")
    published_template()
    cloud.simulator.fault(**PASSING[fault], **WRITES[write])
    saga = start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment) == MADE


def test_what_passes_is_outlived_at_every_removal(cloud: Cloud, fault: str, removal: str) -> None:
    deployment = running(cloud, "kiosk", droplets=1)
    cloud.simulator.fault(**PASSING[fault], **REMOVALS[removal])
    saga = start_and_run("offboard_deployment", deployment_id=deployment.pk)
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment) == Ended("archived", [], [], [], 0, 0, 1)


@pytest.mark.parametrize("refused", ["/v2/volumes$", "/v2/volumes/.*/actions$", "/records$"])
def test_a_refusal_leaves_nothing_that_is_billed(cloud: Cloud, refused: str) -> None:
    deployment = subscribed("kiosk")
    published_template()
    cloud.fault("forbidden", method="POST", path=refused, count=0)
    saga = start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    cloud.simulator.control("DELETE", "faults")
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == NOT_MADE


@pytest.mark.parametrize("seed", range(2))
def test_a_bad_day_leaves_a_deployment_whole_or_unbilled(cloud: Cloud, seed: int) -> None:
    """Every third answer spoiled, each time another way."""
    cloud.simulator.reset(seed=seed + 200)
    deployment = subscribed("kiosk")
    published_template()
    for fault in PASSING.values():
        cloud.simulator.fault(**fault, count=0, probability=0.03, path="^/v2/")
    saga = start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    cloud.simulator.control("DELETE", "faults")
    assert ended(cloud, deployment) == (MADE if saga.status == "completed" else NOT_MADE)
