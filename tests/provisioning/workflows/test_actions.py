"""Actions on a droplet: only the step's own are followed, and begun anew until the goal is reached."""

from typing import Any

import pytest

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderRejected
from provisioning.contract import RetryableError
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import cancel_saga
from provisioning.steps.droplets.checks import retry_while_refused
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import SHOP_WEB, Cloud, pair
from tests.provisioning.workflows.test_resize_droplet import (
    WISH,
    assert_as_before,
    assert_resized,
    done_to,
)

ACTIONS = f"/v2/droplets/{SHOP_WEB}/actions"
PASSING_REFUSALS = (
    "There are currently blocking events processing.",
    "Droplet is currently on. Please power it off to run this event.",
    "Droplet already has a pending event.",
    "This droplet is locked, please try again later",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "message" in metafunc.fixturenames:
        pair(metafunc, ("message", "after"), PASSING_REFUSALS, range(4))


def action_requests(cloud: Cloud) -> list[dict[str, Any]]:
    return cloud.simulator.requests(method="POST", path=ACTIONS)


def run_until_begun(cloud: Cloud, saga: SagaRun, kind: str) -> None:
    while kind not in done_to(cloud):
        run(saga.pk)


def test_a_snapshot_by_hand_is_not_taken_for_the_sagas_own(cloud: Cloud) -> None:
    """The saga's own request was never heard; another's snapshot of the droplet began meanwhile."""
    cloud.fault("drop_before", method="POST", path="/actions$")
    saga = start("snapshot_droplet", droplet_id=SHOP_WEB)
    while not action_requests(cloud):
        run(saga.pk)
    cloud.api.post(ACTIONS, {"type": "snapshot", "name": "by hand"})
    assert run_to_end(saga).status == "completed"
    made = cloud.snapshots() - cloud.before["snapshots"]
    assert made == {"by hand", f"shop-web-01-saga-{saga.pk}-2-{saga.nonce}"}


def test_an_errored_action_by_hand_is_not_the_sagas_own(cloud: Cloud) -> None:
    cloud.fault("drop_before", method="POST", path="/actions$")
    saga = start("snapshot_droplet", droplet_id=SHOP_WEB)
    while not action_requests(cloud):
        run(saga.pk)
    cloud.fault("errored_action", type="snapshot")
    cloud.api.post(ACTIONS, {"type": "snapshot", "name": "by hand"})
    assert run_to_end(saga).status == "completed", saga.error


@pytest.mark.parametrize("kind", ["power_on", "resize"])
def test_an_action_by_hand_is_not_followed_after_a_retry(cloud: Cloud, kind: str) -> None:
    after = {"resize": 1, "power_on": 2}[kind]
    cloud.fault("drop_before", method="POST", path="/actions$", after=after)
    saga = start("resize_droplet", **{**WISH, "snapshot": False})
    while len(action_requests(cloud)) <= after:
        run(saga.pk)
    by_hand = {"type": "resize", "size": "s-2vcpu-4gb"} if kind == "resize" else {"type": "power_on"}
    cloud.api.post(ACTIONS, by_hand)
    assert run_to_end(saga).status == "completed"
    droplet = cloud.droplet(SHOP_WEB)
    assert (droplet["size_slug"], droplet["status"]) == ("s-4vcpu-8gb", "active")


def test_an_action_that_is_over_without_its_goal_is_begun_anew(cloud: Cloud) -> None:
    """Somebody gave the droplet its former size right after the saga's resize."""
    saga = start("resize_droplet", **{**WISH, "snapshot": False})
    run_until_begun(cloud, saga, "resize")
    while cloud.droplet(SHOP_WEB)["size_slug"] != "s-4vcpu-8gb":
        pass
    cloud.simulator.control("PATCH", f"droplets/{SHOP_WEB}", size="s-2vcpu-4gb")
    assert run_to_end(saga).status == "completed"
    assert cloud.droplet(SHOP_WEB)["size_slug"] == "s-4vcpu-8gb"
    assert done_to(cloud).count("resize") == 2


@pytest.mark.parametrize(("kind", "times"), [("resize", 1), ("power_on", 2), ("resize", 3)])
def test_an_action_that_errors_while_compensating_is_begun_anew(cloud: Cloud, kind: str, times: int) -> None:
    saga = start("resize_droplet", **WISH)
    run_until_begun(cloud, saga, "power_on")
    cloud.fault("errored_action", type=kind, count=times)
    cancel_saga(saga_id=saga.pk, actor="a test")
    run_to_end(saga)
    assert_as_before(cloud, saga)
    assert not cloud.simulator.control("GET", "faults")["faults"], "each of them was met"


def test_one_errored_resize_and_one_errored_power_on_leave_the_droplet_as_it_was(cloud: Cloud) -> None:
    """Forward an error is final; its compensation meets two more."""
    cloud.fault("errored_action", type="resize")
    cloud.fault("errored_action", type="power_on", count=2)
    saga = start_and_run("resize_droplet", **WISH)
    assert_as_before(cloud, saga)
    assert done_to(cloud).count("power_on") == 3


def test_a_refusal_that_passes_is_outlived_whatever_its_words(cloud: Cloud, message: str, after: int) -> None:
    cloud.fault("pending_event", method="POST", path="/actions$", after=after, message=message)
    saga = start_and_run("resize_droplet", **WISH)
    assert_resized(cloud, saga)


def test_of_a_wording_that_is_unknown_the_droplet_decides(cloud: Cloud) -> None:
    refused = {"method": "POST", "path": "/actions$", "message": "Something else is going on.", "count": 2}
    cloud.fault("pending_event", **refused)
    with DigitalOcean("PROVISIONING") as client:
        with pytest.raises(ProviderRejected), retry_while_refused(client, SHOP_WEB):
            client.droplet_action(SHOP_WEB, "power_off")
        cloud.fault("slow_actions", factor=1000)
        busy = cloud.simulator.control("GET", "faults")["faults"][0]["id"]
        cloud.simulator.control("DELETE", f"faults/{busy}")
        cloud.api.post(ACTIONS, {"type": "reboot"})
        cloud.fault("pending_event", **refused)
        with pytest.raises(RetryableError), retry_while_refused(client, SHOP_WEB):
            client.droplet_action(SHOP_WEB, "power_off")
