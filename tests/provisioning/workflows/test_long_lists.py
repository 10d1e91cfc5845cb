"""Steps with more writes than one entry may send: they go on where they were."""

import pytest

from provisioning.steps import cloud as steps_cloud
from tests.provisioning.sagas import start_and_run
from tests.provisioning.workflows.cloud import ZONE, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.deployment_cases import ended, running

RECORDS = 60


@pytest.fixture
def slow(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """DigitalOcean answers each write after a while, and an entry may last as long as ten of these."""
    monkeypatch.setattr(steps_cloud, "_FRESH_SECONDS", 0.4)
    for method in ("POST", "DELETE"):
        cloud.fault("latency", method=method, path="/records", count=0, seconds=0.02)
    return cloud


def _with_records(cloud: Cloud) -> int:
    deployment = running(cloud, "kiosk", droplets=1)
    (droplet,) = cloud.named("kiosk-1")
    address = next(each["ip_address"] for each in droplet["networks"]["v4"] if each["type"] == "public")
    for number in range(RECORDS - 1):
        body = {"type": "A", "name": f"kiosk-{number}", "data": address}
        cloud.api.post(f"/v2/domains/{ZONE}/records", body)
    return deployment.pk


def test_an_offboarding_removes_any_number_of_records(slow: Cloud) -> None:
    before = len(slow.records())
    saga = start_and_run("offboard_deployment", deployment_id=_with_records(slow))
    assert saga.status == "completed", saga.error
    assert len(slow.records()) == before
    assert slow.asked("DELETE", "/v2/domains") == RECORDS, "each is asked for once"


def test_as_many_records_are_written_again(slow: Cloud, fail_after: FailAfter) -> None:
    pk = _with_records(slow)
    before = sorted((each["name"], each["data"]) for each in slow.records())
    saga = start_and_run(fail_after("offboard_deployment", 5), deployment_id=pk)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert sorted((each["name"], each["data"]) for each in slow.records()) == before
    assert slow.asked("POST", f"/v2/domains/{ZONE}/records") == 2 * RECORDS
    listed = slow.asked("GET", f"/v2/domains/{ZONE}/records")
    assert listed < RECORDS / 2, "the zone is listed once an entry, not once a record"


def test_any_number_of_droplets_is_destroyed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_cloud, "_FRESH_SECONDS", 0.4)
    deployment = running(cloud, "kiosk", droplets=8)
    cloud.fault("latency", method="GET", path="/v2/droplets/[0-9]+$", count=0, seconds=0.1)
    saga = start_and_run("offboard_deployment", deployment_id=deployment.pk, keep_snapshots=False)
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment).droplets == []
