"""`resize_droplet`: there, back again, and under what DigitalOcean may do."""

import time
from typing import Any

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.desired_state import record_provisioned
from provisioning.engine.runner import run
from provisioning.errors import Protected, SubjectBusy
from provisioning.models import Provisioned, SagaRun
from provisioning.services import protect
from provisioning.steps.droplets import power
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import LEGACY, ORDER, PASSING, SHOP_WEB, Cloud, crossed
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import reason
from tests.provisioning.workflows.outcomes import words as told

STEPS = [
    "look_at_droplet",
    "require_fitting_size",
    "reserve_snapshot",
    "snapshot_droplet",
    "observe_snapshot",
    "shut_down_droplet",
    "resize_droplet",
    "power_on_droplet",
    "observe_droplet",
    "record_desired_size",
]
WISH: dict[str, Any] = {"droplet_id": SHOP_WEB, "size": "s-4vcpu-8gb", "snapshot": True}
ACTIONS = {"snapshot": 0, "shutdown": 1, "resize": 2, "power_on": 3}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        crossed(metafunc, action=ACTIONS)


def row(droplet_id: int = SHOP_WEB) -> Resource:
    return Resource.objects.get(kind="droplet", provider_id=str(droplet_id))


def done_to(cloud: Cloud, droplet_id: int = SHOP_WEB) -> list[str]:
    """The actions that were begun on the droplet since it was created, oldest first."""
    actions = cloud.api.get(f"/v2/droplets/{droplet_id}/actions?per_page=200")["actions"]
    return [action["type"] for action in reversed(actions) if action["type"] != "create"]


def assert_resized(cloud: Cloud, saga: SagaRun) -> None:
    """Resized once, running, with one snapshot; the inventory and the desired state know."""
    assert saga.status == "completed", saga.error
    assert ledger(saga) == [(step, "completed") for step in STEPS]
    droplet = cloud.droplet(SHOP_WEB)
    assert (droplet["size_slug"], droplet["status"], droplet["disk"]) == ("s-4vcpu-8gb", "active", 80)
    assert cloud.snapshots() == cloud.before["snapshots"] | {f"shop-web-01-saga-{saga.pk}-3-{saga.nonce}"}
    assert done_to(cloud) == list(ACTIONS)
    assert (row().attrs["size_slug"], row().status) == ("s-4vcpu-8gb", "active")
    assert (
        Resource.objects.filter(kind="snapshot", name__endswith=f"saga-{saga.pk}-3-{saga.nonce}").count() == 1
    )
    assert Provisioned.objects.get(resource=row()).spec["size_slug"] == "s-4vcpu-8gb"


def assert_as_before(cloud: Cloud, saga: SagaRun) -> None:
    assert saga.status == "rolled_back", saga.error
    assert saga.compensation_failures == 0
    assert cloud.everything() == cloud.before
    assert row().attrs["size_slug"] == "s-2vcpu-4gb"
    assert row().status == "active"
    assert not Provisioned.objects.exists()
    assert not Resource.objects.live().filter(kind="snapshot", name__contains="-saga-").exists()


def test_it_resizes_with_a_snapshot_before(cloud: Cloud) -> None:
    owner = (row().tenant_id, row().attributed_by)
    saga = start_and_run("resize_droplet", **WISH)
    assert_resized(cloud, saga)
    assert (row().tenant_id, row().attributed_by) == owner
    assert saga.tenant_id == owner[0]


def test_what_else_was_desired_stays_desired(cloud: Cloud) -> None:
    record_provisioned(resource_pk=row().pk, spec={"region": "nyc3", "size_slug": "old"}, saga_id=None)
    start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    desired = Provisioned.objects.get(resource=row())
    assert desired.spec == {"region": "nyc3", "size_slug": "s-4vcpu-8gb"}
    assert desired.spec_version == 2


def test_what_was_desired_is_desired_again_when_the_saga_is_compensated(
    cloud: Cloud, fail_after: FailAfter
) -> None:
    spec = {"region": "nyc3", "size_slug": "old"}
    record_provisioned(resource_pk=row().pk, spec=spec, saga_id=None)
    start_and_run(fail_after("resize_droplet", len(STEPS)), **WISH)
    assert Provisioned.objects.get(resource=row()).spec == spec


def test_one_that_was_off_stays_off(cloud: Cloud) -> None:
    saga = start_and_run("resize_droplet", droplet_id=LEGACY, size="s-4vcpu-8gb")
    assert saga.status == "completed"
    assert (cloud.droplet(LEGACY)["size_slug"], cloud.droplet(LEGACY)["status"]) == ("s-4vcpu-8gb", "off")
    assert done_to(cloud, LEGACY) == ["resize"]


def test_the_disk_grows_last_of_all(cloud: Cloud) -> None:
    saga = start_and_run("resize_droplet", droplet_id=SHOP_WEB, size="s-4vcpu-8gb", grow_disk=True)
    assert saga.status == "completed"
    assert saga.step_modules[-1] == "resize_droplet_for_good"
    droplet = cloud.droplet(SHOP_WEB)
    assert (droplet["size_slug"], droplet["status"], droplet["disk"]) == ("s-4vcpu-8gb", "active", 160)
    assert row().attrs["disk_gb"] == 160
    assert Provisioned.objects.get(resource=row()).spec["size_slug"] == "s-4vcpu-8gb"


def test_a_growth_that_fails_leaves_the_droplet_running_as_it_was(cloud: Cloud) -> None:
    cloud.fault("errored_action", type="resize")
    saga = start_and_run("resize_droplet", **WISH, grow_disk=True)
    assert reason(saga) == "step_failed:resize_droplet_for_good"
    assert_as_before(cloud, saga)


@pytest.mark.parametrize("done", range(len(STEPS) + 1))
def test_it_is_compensated_from_wherever_it_fails(cloud: Cloud, fail_after: FailAfter, done: int) -> None:
    saga = start_and_run(fail_after("resize_droplet", done), **WISH)
    assert reason(saga) == "step_failed:fail"
    assert_as_before(cloud, saga)


def test_what_passes_is_outlived_at_every_action(cloud: Cloud, fault: str, action: str) -> None:
    where = {"method": "POST", "path": f"/v2/droplets/{SHOP_WEB}/actions$"}
    cloud.simulator.fault(**PASSING[fault], **where, after=ACTIONS[action])
    saga = start_and_run("resize_droplet", **WISH)
    assert_resized(cloud, saga)
    assert any(step.attempts > 1 for step in saga.steps.all())


@pytest.mark.parametrize("action", ["snapshot", "resize", "power_on"])
def test_an_action_that_errors_compensates_everything(cloud: Cloud, action: str) -> None:
    cloud.fault("errored_action", type=action)
    saga = start_and_run("resize_droplet", **WISH)
    assert reason(saga).startswith("step_failed:")
    assert_as_before(cloud, saga)


def test_an_action_that_errors_after_its_answer_was_lost_is_begun_again(cloud: Cloud) -> None:
    """Nothing says that it was this saga's: the goal isn't reached, and no event is under way."""
    cloud.fault("errored_action", type="resize")
    cloud.fault("drop_after", method="POST", path="/actions$", after=2)
    saga = start_and_run("resize_droplet", **WISH)
    assert saga.status == "completed"
    assert done_to(cloud).count("resize") == 2


def test_a_guest_that_hears_no_shutdown_is_switched_off(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "SHUTDOWN_SECONDS", 0.3)
    cloud.fault("ignored_shutdown")
    saga = start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    assert saga.status == "completed"
    assert done_to(cloud) == ["shutdown", "power_off", "resize", "power_on"]


def test_a_shutdown_that_errors_is_followed_by_force(cloud: Cloud) -> None:
    cloud.fault("errored_action", type="shutdown")
    saga = start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    assert saga.status == "completed"
    assert done_to(cloud) == ["shutdown", "power_off", "resize", "power_on"]


def test_slow_actions_are_waited_for(cloud: Cloud) -> None:
    cloud.fault("slow_actions", factor=5, count=0)
    assert_resized(cloud, start_and_run("resize_droplet", **WISH))


def test_a_droplet_that_is_busy_is_waited_for(cloud: Cloud) -> None:
    cloud.api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "reboot"})
    saga = start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    assert saga.status == "completed"
    assert done_to(cloud) == ["reboot", "shutdown", "resize", "power_on"]


def test_one_that_is_just_being_switched_on_is_on_afterwards(cloud: Cloud) -> None:
    """Its state shows only when the event is over."""
    actions = f"/v2/droplets/{SHOP_WEB}/actions"
    cloud.api.post(actions, {"type": "power_off"})
    while cloud.droplet(SHOP_WEB)["status"] != "off" or cloud.droplet(SHOP_WEB)["locked"]:
        time.sleep(0.02)
    cloud.fault("slow_actions", factor=20)
    cloud.api.post(actions, {"type": "power_on"})
    saga = start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    assert saga.status == "completed"
    assert cloud.droplet(SHOP_WEB)["status"] == "active"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("s-1vcpu-1gb", "a disk can't shrink"),
        ("s-99vcpu-1gb", "there is no size"),
    ],
)
def test_a_size_that_it_cannot_have_leaves_it_running(cloud: Cloud, size: str, words: str) -> None:
    saga = start_and_run("resize_droplet", droplet_id=SHOP_WEB, size=size)
    assert words in told(saga, "require_fitting_size")
    assert done_to(cloud) == []
    assert_as_before(cloud, saga)


@pytest.mark.parametrize("more", [{}, {"grow_disk": True}])
def test_a_size_that_it_has_already_leaves_it_running(cloud: Cloud, more: dict[str, bool]) -> None:
    saga = start_and_run("resize_droplet", droplet_id=SHOP_WEB, size="s-2vcpu-4gb", **more)
    assert "has the size s-2vcpu-4gb already" in told(saga, "require_fitting_size")
    assert done_to(cloud) == []
    assert_as_before(cloud, saga)


@pytest.mark.parametrize("status", ["waiting", "failed"])
def test_a_droplet_whose_maker_has_not_settled_it_is_refused(cloud: Cloud, status: str) -> None:
    """A dead letter is brought back to life by an operator, and goes on with what it made."""
    maker = start("provision_droplet", **ORDER)
    while "droplet_id" not in maker.context or maker.status != "waiting":
        run(maker.pk)
        maker.refresh_from_db()
    if status == "failed":
        SagaRun.objects.filter(pk=maker.pk).update(status="running")
        SagaRun.objects.filter(pk=maker.pk).update(status="failed", finished_at=timezone.now())
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    with pytest.raises(Conflict, match=f"saga {maker.pk} is still making droplet"):
        start("resize_droplet", **{**WISH, "droplet_id": maker.context["droplet_id"]})


def test_a_protected_droplet_is_refused_at_the_start(cloud: Cloud) -> None:
    protect(resource_pk=row().pk, actor="a test")
    with pytest.raises(Protected):
        start("resize_droplet", **WISH)
    assert not SagaRun.objects.exists()


@pytest.mark.parametrize("tag", ["protected", "Protected"])
def test_a_droplet_that_is_tagged_protected_later_is_not_switched_off(cloud: Cloud, tag: str) -> None:
    saga = start("resize_droplet", **{**WISH, "snapshot": False})
    cloud.simulator.control("PATCH", f"droplets/{SHOP_WEB}", tags=[tag])
    run_to_end(saga)
    assert saga.status == "rolled_back"
    assert done_to(cloud) == []


def test_a_droplet_that_is_marked_in_the_middle_is_not_switched_off(cloud: Cloud) -> None:
    saga = start("resize_droplet", **WISH)
    while "snapshot" not in done_to(cloud):
        run(saga.pk)
    protect(resource_pk=row().pk, actor="a test")
    run_to_end(saga)
    assert reason(saga) == "step_failed:shut_down_droplet"
    assert done_to(cloud) == ["snapshot"]
    assert_as_before(cloud, saga)


def test_one_saga_at_a_time_holds_a_droplet(cloud: Cloud) -> None:
    start("resize_droplet", **WISH)
    with pytest.raises(SubjectBusy):
        start("snapshot_droplet", droplet_id=SHOP_WEB)


def test_a_droplet_that_the_inventory_does_not_know_is_refused(cloud: Cloud) -> None:
    with pytest.raises(InvalidInput) as refusal:
        start("resize_droplet", **{**WISH, "droplet_id": 1})
    assert list(refusal.value.errors) == ["inputs.droplet_id"]


def test_a_clusters_worker_is_refused(cloud: Cloud) -> None:
    worker = Resource.objects.filter(kind="droplet", attrs__has_key="cluster_id").first()
    assert worker is not None
    with pytest.raises(Conflict, match="worker of Kubernetes cluster"):
        start("resize_droplet", **{**WISH, "droplet_id": int(worker.provider_id)})
