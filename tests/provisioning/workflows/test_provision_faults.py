"""`provision_droplet` under what DigitalOcean may do: it ends done once, or undone, never in between."""

import time
from typing import Any

import pytest

from provisioning.engine.runner import run
from provisioning.services import cancel_saga
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.scripted_workflow import lose_lease
from tests.provisioning.workflows.cloud import ORDER, PASSING, Cloud, crossed
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import (
    PROVISION_STEPS,
    assert_made_once,
    assert_nothing_left,
    reason,
)

WRITES: dict[str, dict[str, Any]] = {
    "project": {"method": "POST", "path": "/v2/projects$"},
    "create": {"method": "POST", "path": "/v2/droplets$"},
    "assignment": {"method": "POST", "path": "/resources$"},
    "record": {"method": "POST", "path": "/records$"},
}
UNDOS: dict[str, dict[str, Any]] = {
    "record": {"method": "DELETE", "path": "/records/"},
    "put back": {"method": "POST", "path": "/resources$", "after": 1},
    "droplet": {"method": "DELETE", "path": "/v2/droplets/"},
    "project": {"method": "DELETE", "path": "/v2/projects/"},
}
LAG: dict[str, Any] = {"kind": "list_lag", "seconds": 60, "count": 0}  # 0.3 seconds of the tests' 0.5


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    crossed(metafunc, write=WRITES, undo=UNDOS)


def test_what_passes_is_outlived_at_every_write(cloud: Cloud, fault: str, write: str) -> None:
    cloud.simulator.fault(**PASSING[fault], **WRITES[write])
    saga = start_and_run("provision_droplet", **ORDER)
    assert_made_once(cloud, saga)
    assert any(step.attempts > 1 for step in saga.steps.all())


def test_what_passes_is_outlived_at_every_compensation(
    cloud: Cloud, fail_after: FailAfter, fault: str, undo: str
) -> None:
    cloud.simulator.fault(**PASSING[fault], **UNDOS[undo])
    saga = start_and_run(fail_after("provision_droplet", len(PROVISION_STEPS)), **ORDER)
    assert_nothing_left(cloud, saga)
    was_repeated = any(step.compensation_attempts > 1 for step in saga.steps.all())
    assert was_repeated or PASSING[fault]["kind"] == "truncated"  # a 204 has nothing to cut


@pytest.mark.parametrize("lost", ["lost answer", "502 after the change", "half an answer"])
def test_a_lost_answer_makes_no_second_droplet_though_the_list_lags(cloud: Cloud, lost: str) -> None:
    cloud.simulator.fault(**LAG, method="GET", path="/v2/droplets$")
    cloud.simulator.fault(**PASSING[lost], **WRITES["create"])
    saga = start_and_run("provision_droplet", **ORDER)
    cloud.simulator.control("DELETE", "faults")
    assert_made_once(cloud, saga)
    assert (
        len([each for each in cloud.simulator.requests(method="POST") if each["path"] == "/v2/droplets"]) == 1
    )


def test_a_lost_answer_leaves_no_droplet_after_a_compensation_though_the_list_lags(
    cloud: Cloud,
) -> None:
    cloud.simulator.fault(**LAG, method="GET", path="/v2/droplets$")
    cloud.fault("drop_after", method="POST", path="/v2/droplets$")
    cloud.fault("forbidden", method="GET", path="/v2/droplets$", after=1)
    saga = start_and_run("provision_droplet", **ORDER)
    cloud.simulator.control("DELETE", "faults")
    assert reason(saga) == "step_failed:create_droplet"
    assert_nothing_left(cloud, saga)


def test_an_outage_that_outlasts_the_step_leaves_nothing_once_it_is_over(
    cloud: Cloud, fail_after: FailAfter
) -> None:
    """A compensation that ended with a step's five minutes would leave a droplet that costs money."""
    cloud.fault("server_error", method="DELETE", path="/v2/droplets/", count=60)
    assert_nothing_left(cloud, start_and_run(fail_after("provision_droplet", len(PROVISION_STEPS)), **ORDER))


def test_what_the_last_attempt_made_is_removed_though_it_died_and_the_list_lags(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier attempts' droplets would be on the list by now; this one's isn't yet."""
    cloud.fault("drop_before", method="POST", path="/v2/droplets$", count=2)
    saga = start("provision_droplet", **ORDER)

    def dying(boundary: str, saga_id: int, step_idx: int, _step: str) -> None:
        if boundary == "after_effect" and cloud.asked("POST", "/v2/droplets"):
            lose_lease(saga_id)

    monkeypatch.setattr("provisioning.engine.claim.reached", dying)
    while not cloud.asked("POST", "/v2/droplets"):
        run(saga.pk)
    cloud.simulator.fault(**LAG, method="GET", path="/v2/droplets$")
    cancel_saga(saga_id=saga.pk, actor="a test")
    run_to_end(saga)
    cloud.simulator.control("DELETE", "faults")
    time.sleep(0.3)  # what lagged is listed by now
    assert reason(saga) == "cancelled"
    assert_nothing_left(cloud, saga)


def test_a_twin_that_the_list_shows_late_is_removed(cloud: Cloud) -> None:
    """A request that was given up as never sent, and arrived after all."""
    cloud.fault("drop_before", method="POST", path="/v2/droplets$")
    saga = start("provision_droplet", **ORDER)
    while not cloud.asked("POST", "/v2/droplets"):
        run(saga.pk)
    tags = [f"saga:{saga.pk}-2-{saga.nonce}"]
    cloud.simulator.control("POST", "droplets", name="new-01", region="fra1", size="s-1vcpu-1gb", tags=tags)
    assert len(cloud.named("new-01")) == 2
    run_to_end(saga)
    assert_made_once(cloud, saga)


def test_a_droplet_that_fails_to_come_up_is_unattributed(cloud: Cloud) -> None:
    cloud.fault("errored_action", type="create")
    saga = start_and_run("provision_droplet", **ORDER)
    assert reason(saga) == "step_failed:wait_droplet_active"
    assert_nothing_left(cloud, saga)


def test_a_droplet_that_vanishes_after_its_202_is_not_waited_for(cloud: Cloud) -> None:
    cloud.fault("vanishing")
    saga = start_and_run("provision_droplet", **ORDER)
    assert reason(saga) == "step_failed:wait_droplet_active"
    assert_nothing_left(cloud, saga)


def test_a_droplet_that_can_not_be_read_for_a_while_is_waited_for(cloud: Cloud) -> None:
    cloud.simulator.fault(**LAG, detail=True)
    saga = start_and_run("provision_droplet", **ORDER)
    cloud.simulator.control("DELETE", "faults")
    assert_made_once(cloud, saga)


def test_an_action_that_can_not_be_read_for_a_while_is_asked_for_again(cloud: Cloud) -> None:
    cloud.fault("slow_actions", factor=10)
    cloud.fault("missing", method="GET", path="/v2/actions/", count=2)
    assert_made_once(cloud, start_and_run("provision_droplet", **ORDER))


def test_a_slow_create_is_waited_for(cloud: Cloud) -> None:
    cloud.fault("slow_actions", factor=10)
    saga = start_and_run("provision_droplet", **ORDER)
    assert_made_once(cloud, saga)


@pytest.mark.parametrize("status", ["service_down", "not_found"])
def test_an_assignment_that_fails_within_a_200_is_repeated(cloud: Cloud, status: str) -> None:
    cloud.fault("service_down", count=2, status=status)
    saga = start_and_run("provision_droplet", **ORDER)
    assert_made_once(cloud, saga)


def test_an_assignment_that_never_works_compensates_everything(cloud: Cloud) -> None:
    cloud.fault("service_down", count=11)
    saga = start_and_run("provision_droplet", **ORDER)
    assert reason(saga) == "step_failed:assign_to_project"
    assert_nothing_left(cloud, saga)


def test_deleted_droplets_that_linger_in_lists_are_no_trouble(cloud: Cloud, fail_after: FailAfter) -> None:
    cloud.fault("deleted_linger", seconds=40, detail=True, count=0)
    saga = start_and_run(fail_after("provision_droplet", len(PROVISION_STEPS)), **ORDER)
    cloud.simulator.control("DELETE", "faults")
    assert_nothing_left(cloud, saga)


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_day_leaves_no_double_and_no_orphan(cloud: Cloud, seed: int) -> None:
    """Every third answer spoiled, each time another way."""
    cloud.simulator.reset(seed=seed + 100)
    cloud.before = cloud.everything()
    for fault in PASSING.values():
        cloud.simulator.fault(**fault, count=0, probability=0.04, path="^/v2/")
    saga = start_and_run("provision_droplet", **ORDER)
    cloud.simulator.control("DELETE", "faults")
    if saga.status == "completed":
        assert_made_once(cloud, saga)
    else:
        assert_nothing_left(cloud, saga)
