"""`snapshot_droplet` and `destroy_droplet`: the last snapshot outlives whatever happens."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inventory.models import Resource, ResourceEvent, ResourceSpan
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.desired_state import record_provisioned
from provisioning.engine.runner import run
from provisioning.errors import Protected
from provisioning.models import Provisioned, SagaCreate
from provisioning.services import cancel_saga, protect
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import PASSING, SHOP_WEB, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import reason
from tests.provisioning.workflows.test_resize_droplet import assert_as_before, done_to, row

DESTROY_STEPS = [
    "look_at_droplet",
    "shut_down_droplet",
    "snapshot_droplet",
    "observe_snapshot",
    "destroy_droplet",
]


def gone(cloud: Cloud) -> bool:
    return cloud.api.ask("GET", f"/v2/droplets/{SHOP_WEB}").status_code == 404


def test_a_snapshot_is_taken_of_a_running_droplet_and_belongs_to_its_tenant(cloud: Cloud) -> None:
    saga = start_and_run("snapshot_droplet", droplet_id=SHOP_WEB, snapshot_name="before-the-launch")
    assert saga.status == "completed"
    name = f"before-the-launch-saga-{saga.pk}-2-{saga.nonce}"
    assert cloud.snapshots() == cloud.before["snapshots"] | {name}
    assert cloud.droplet(SHOP_WEB)["status"] == "active"
    snapshot = Resource.objects.get(kind="snapshot", name=name)
    assert (snapshot.tenant_id, snapshot.attributed_by) == (row().tenant_id, "parent")
    assert snapshot.provider_id in map(str, row().attrs["snapshot_ids"])


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_makes_no_second_snapshot(cloud: Cloud, fault: str) -> None:
    cloud.simulator.fault(**PASSING[fault], method="POST", path="/actions$")
    saga = start_and_run("snapshot_droplet", droplet_id=SHOP_WEB)
    assert saga.status == "completed"
    assert done_to(cloud) == ["snapshot"]


@pytest.mark.parametrize(
    ("kind", "more"),
    [("snapshot_droplet", {}), ("resize_droplet", {"size": "s-4vcpu-8gb", "snapshot": True})],
)
def test_a_snapshot_over_the_cap_waits_while_the_droplet_runs(
    cloud: Cloud, settings: Settings, kind: str, more: dict[str, Any]
) -> None:
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 1
    assert start_and_run("snapshot_droplet", droplet_id=SHOP_WEB).status == "completed"
    saga = start(kind, droplet_id=SHOP_WEB, **more)
    run(saga.pk)
    saga.refresh_from_db()
    assert saga.status == "waiting"
    assert saga.wait_reason.startswith(f"1 creates for tenant {saga.tenant_id}")
    assert cloud.droplet(SHOP_WEB)["status"] == "active"
    assert done_to(cloud) == ["snapshot"]
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 2
    cancel_saga(saga_id=saga.pk, actor="a test")
    assert run_to_end(saga).status == "rolled_back"


def test_a_last_snapshot_is_not_held_up_by_a_cap_and_counts_for_none(
    cloud: Cloud, settings: Settings
) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 0
    assert start_and_run("destroy_droplet", droplet_id=SHOP_WEB).status == "completed"
    assert not SagaCreate.objects.exists()


def test_a_protected_droplet_may_be_snapshot_and_not_be_destroyed(cloud: Cloud) -> None:
    protect(resource_pk=row().pk, actor="a test")
    assert start_and_run("snapshot_droplet", droplet_id=SHOP_WEB).status == "completed"
    with pytest.raises(Protected):
        start("destroy_droplet", droplet_id=SHOP_WEB)


def test_a_destroyed_droplet_leaves_its_last_snapshot_and_a_tombstone(cloud: Cloud) -> None:
    record_provisioned(resource_pk=row().pk, spec={"region": "nyc3"}, saga_id=None)
    saga = start_and_run("destroy_droplet", droplet_id=SHOP_WEB)
    assert ledger(saga) == [(step, "completed") for step in DESTROY_STEPS]
    assert gone(cloud)
    assert cloud.snapshots() == cloud.before["snapshots"] | {f"shop-web-01-saga-{saga.pk}-2-{saga.nonce}"}
    droplet = row()
    assert droplet.deleted_at is not None
    assert not Provisioned.objects.exists()
    deleted = ResourceEvent.objects.get(resource=droplet, event_type="deleted")
    assert deleted.source == f"saga:{saga.pk}"
    assert not ResourceSpan.objects.filter(resource=droplet, during__endswith=None).exists()
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "snapshot"])
    assert row().deleted_at == droplet.deleted_at


def test_without_a_snapshot_it_is_one_step_after_a_look(cloud: Cloud) -> None:
    saga = start_and_run("destroy_droplet", droplet_id=SHOP_WEB, keep_snapshot=False)
    assert [name for name, _ in ledger(saga)] == ["look_at_droplet", "destroy_droplet"]
    assert gone(cloud)
    assert cloud.snapshots() == cloud.before["snapshots"]
    assert done_to_nothing_but_its_end(cloud)


def done_to_nothing_but_its_end(cloud: Cloud) -> bool:
    return not cloud.simulator.requests(method="POST", path="/v2/droplets")


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_destroys_once(cloud: Cloud, fault: str) -> None:
    cloud.simulator.fault(**PASSING[fault], method="DELETE", path="/v2/droplets/")
    saga = start_and_run("destroy_droplet", droplet_id=SHOP_WEB, keep_snapshot=False)
    assert saga.status == "completed"
    assert gone(cloud)
    assert len(cloud.everything()["droplets"]) == len(cloud.before["droplets"]) - 1


@pytest.mark.parametrize("done", range(len(DESTROY_STEPS)))
def test_it_is_compensated_from_wherever_it_fails(cloud: Cloud, fail_after: FailAfter, done: int) -> None:
    saga = start_and_run(fail_after("destroy_droplet", done), droplet_id=SHOP_WEB)
    assert reason(saga) == "step_failed:fail"
    assert_as_before(cloud, saga)


def test_one_that_became_protected_meanwhile_lives_and_is_as_it_was(cloud: Cloud) -> None:
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    while not Resource.objects.filter(
        kind="snapshot", name__endswith=f"saga-{saga.pk}-2-{saga.nonce}"
    ).exists():
        run(saga.pk)
        if done_to(cloud) == ["shutdown", "snapshot"]:
            protect(resource_pk=row().pk, actor="a test")
    run_to_end(saga)
    assert reason(saga) == "step_failed:destroy_droplet"
    assert_as_before(cloud, saga)


def test_a_snapshot_is_never_removed_once_its_droplet_is_gone(cloud: Cloud) -> None:
    """Every answer to the deletion is lost, until the saga gives up: what was saved must stay."""
    cloud.fault("drop_after", method="DELETE", path="/v2/droplets/", count=1)
    cloud.fault("server_error", method="GET", path=f"/v2/droplets/{SHOP_WEB}$", after=1000)
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    while not gone(cloud):
        run(saga.pk)
    cancel_saga(saga_id=saga.pk, actor="a test")
    run_to_end(saga)
    assert cloud.snapshots() == cloud.before["snapshots"] | {f"shop-web-01-saga-{saga.pk}-2-{saga.nonce}"}
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 1)
    assert dict(ledger(saga))["destroy_droplet"] == "compensation_failed"
    assert row().deleted_at is not None
