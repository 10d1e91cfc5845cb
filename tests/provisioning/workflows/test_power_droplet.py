"""`power_off_droplet`, `power_on_droplet`, and what a saga that can't switch a droplet on again leaves."""

import pytest
from django.test import Client

from arcadia_cloud.kernel.models import Alert
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.desired_state import record_provisioned
from provisioning.errors import Protected
from provisioning.models import Provisioned, SagaRun
from provisioning.services import protect, retry_saga, sweep
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import LEGACY, SHOP_WEB, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.test_resize_droplet import WISH, row


def left_off() -> list[str]:
    return list(
        Alert.objects.filter(code="droplet_left_off", resolved_at=None).values_list("subject", flat=True)
    )


def test_a_droplet_is_powered_off_and_on_again(cloud: Cloud) -> None:
    record_provisioned(resource_pk=row().pk, spec={"status": "active"}, saga_id=None)
    saga = start_and_run("power_off_droplet", droplet_id=SHOP_WEB)
    assert ledger(saga) == [
        ("look_at_droplet", "completed"),
        ("shut_down_droplet", "completed"),
        ("observe_droplet", "completed"),
        ("record_desired_power", "completed"),
    ]
    assert (cloud.droplet(SHOP_WEB)["status"], row().status) == ("off", "off")
    assert Provisioned.objects.get(resource=row()).spec == {"status": "off"}
    assert start_and_run("power_on_droplet", droplet_id=SHOP_WEB).status == "completed"
    assert (cloud.droplet(SHOP_WEB)["status"], row().status) == ("active", "active")
    assert Provisioned.objects.get(resource=row()).spec == {"status": "active"}
    sweep()
    assert left_off() == []


@pytest.mark.parametrize(
    ("kind", "droplet_id", "status"),
    [
        ("power_off_droplet", SHOP_WEB, "active"),
        ("power_on_droplet", LEGACY, "off"),
    ],
)
@pytest.mark.parametrize("done", [1, 2, 3, 4])
def test_it_is_compensated_from_wherever_it_fails(
    cloud: Cloud, fail_after: FailAfter, kind: str, droplet_id: int, status: str, done: int
) -> None:
    saga = start_and_run(fail_after(kind, done), droplet_id=droplet_id)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert cloud.droplet(droplet_id)["status"] == status
    assert cloud.everything() == cloud.before


def test_a_protected_droplet_may_be_powered_on_and_not_off(cloud: Cloud) -> None:
    protect(resource_pk=row(LEGACY).pk, actor="a test")
    with pytest.raises(Protected):
        start("power_off_droplet", droplet_id=LEGACY)
    assert start_and_run("power_on_droplet", droplet_id=LEGACY).status == "completed"
    assert cloud.droplet(LEGACY)["status"] == "active"


def saga_that_left_it_off(cloud: Cloud) -> SagaRun:
    """Resized, and then no power_on worked, there or back, for as long as its retries lasted."""
    from_now_on = {"method": "POST", "path": f"/v2/droplets/{SHOP_WEB}/actions$", "after": 2, "count": 0}
    cloud.fault("forbidden", **from_now_on)
    saga = start_and_run("resize_droplet", **{**WISH, "snapshot": False})
    cloud.simulator.control("DELETE", "faults")
    assert (saga.status, saga.compensation_failures > 0) == ("rolled_back", True)
    assert cloud.droplet(SHOP_WEB)["status"] == "off"
    return saga


def test_a_retry_of_what_left_it_off_switches_it_on(cloud: Cloud) -> None:
    saga = saga_that_left_it_off(cloud)
    again = run_to_end(retry_saga(saga_id=saga.pk, actor="jo"))
    assert again.status == "completed", again.error
    assert (again.context["was_on"], again.context["size_before"]) == (True, "s-2vcpu-4gb")
    droplet = cloud.droplet(SHOP_WEB)
    assert (droplet["status"], droplet["size_slug"]) == ("active", "s-4vcpu-8gb")


def test_a_retry_that_fails_too_puts_it_back_as_the_first_found_it(
    cloud: Cloud,
) -> None:
    saga = saga_that_left_it_off(cloud)
    cloud.fault("server_error", method="GET", path="/v2/sizes", count=0)
    again = run_to_end(retry_saga(saga_id=saga.pk, actor="jo"), seconds=60)
    assert again.status == "rolled_back"
    assert cloud.droplet(SHOP_WEB)["status"] == "active"


def test_a_droplet_that_was_left_off_is_reported_until_it_runs(cloud: Cloud, admin_client: Client) -> None:
    saga = saga_that_left_it_off(cloud)
    sweep()
    sweep()
    assert left_off() == [f"droplet:{SHOP_WEB}"]
    alert = Alert.objects.get(code="droplet_left_off")
    assert (alert.times_raised, f"Saga {saga.pk} left droplet" in alert.message) == (1, True)
    page = admin_client.get(f"/admin/inventory/resource/{row().pk}/change/").content.decode()
    assert f"Saga {saga.pk} left droplet" in page
    dialog = admin_client.get(f"/admin/provisioning/sagarun/{saga.pk}/retry_this/").content.decode()
    assert "Not undone by this saga" in dialog
    assert "shut_down_droplet" in dialog
    cloud.api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "power_on"})
    cloud.simulator.control("POST", "advance", seconds=60)
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    sweep()
    assert left_off() == []


def test_one_that_is_powered_off_on_purpose_since_is_no_longer_reported(
    cloud: Cloud,
) -> None:
    saga_that_left_it_off(cloud)
    sweep()
    assert start_and_run("power_off_droplet", droplet_id=SHOP_WEB).status == "completed"
    sweep()
    assert left_off() == []
