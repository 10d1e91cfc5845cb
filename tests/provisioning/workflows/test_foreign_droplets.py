"""Droplets with a saga's mark that it didn't make: numbers repeat after a restore and elsewhere."""

import io
import time
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import cancel_saga
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import ORDER, PASSING, SHOP_WEB, Cloud
from tests.provisioning.workflows.conftest import SPEED, FailAfter
from tests.provisioning.workflows.outcomes import PROVISION_STEPS

# Each has a saga's mark, or what looks like one, and isn't what the saga made.
FOREIGN: dict[str, dict[str, Any]] = {
    "the number alone, older": {"age_seconds": 3600},
    "the number alone, younger": {},
    "the number alone, as ordered": {"size": "s-1vcpu-1gb", "region": "fra1"},
    "another nonce": {"mark": "-0123456789abcdef", "size": "s-1vcpu-1gb", "region": "fra1"},
    "our mark on another machine": {"mark": "ours", "size": "s-2vcpu-4gb", "region": "fra1"},
    "our mark in another region": {"mark": "ours", "size": "s-1vcpu-1gb", "region": "nyc3"},
    "our mark, older": {"mark": "ours", "size": "s-1vcpu-1gb", "region": "fra1", "age_seconds": 3600},
}


def foreign_droplet(cloud: Cloud, saga: SagaRun, which: str = "the number alone, older") -> int:
    wish = {"name": "theirs", "size": "s-2vcpu-4gb", "region": "fra1"} | FOREIGN[which]
    mark = wish.pop("mark", "")
    if mark == "ours":  # a copy of the machine, by whoever sees its tags
        mark, wish["name"] = f"-{saga.nonce}", "new-01"
    wish["tags"] = [f"saga:{saga.pk}-2{mark}"]
    made: int = cloud.simulator.control("POST", "droplets", **wish)["droplets"][0]["id"]
    return made


def others(cloud: Cloud, saga: SagaRun) -> list[int]:
    own = saga.context.get("droplet_id")
    found = cloud.all("/v2/droplets", "droplets")
    return [each["id"] for each in found if each["id"] not in {own, *cloud.before["droplets"]}]


@pytest.mark.parametrize("which", FOREIGN)
def test_none_is_destroyed_by_a_cancel_or_adopted_after_a_lost_answer(cloud: Cloud, which: str) -> None:
    cloud.simulator.fault(**PASSING["lost answer"], method="POST", path="/v2/droplets$")
    saga = start("provision_droplet", **ORDER)
    theirs = foreign_droplet(cloud, saga, which)
    assert run_to_end(saga).status == "completed"
    assert others(cloud, saga) == [theirs]
    assert saga.context["droplet_id"] != theirs
    again = start("provision_droplet", **{**ORDER, "name": "new-02", "record_name": "new2"})
    while again.context.get("droplet_id") is None:
        run(again.pk)
        again.refresh_from_db()
    also_theirs = foreign_droplet(cloud, again, which)
    cancel_saga(saga_id=again.pk, actor="a test")
    assert run_to_end(again).status == "rolled_back"
    assert set(others(cloud, saga)) == {theirs, also_theirs}


def test_one_that_turns_up_while_the_saga_waits_at_a_cap_is_not_adopted(
    cloud: Cloud, settings: Settings
) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 0
    saga = start("provision_droplet", **ORDER)
    run(saga.pk)
    theirs = foreign_droplet(cloud, saga, "the number alone, as ordered")
    settings.ARCADIA_CREATES_PER_HOUR = 10
    SagaRun.objects.filter(pk=saga.pk).update(wake_at=None)
    assert run_to_end(saga).status == "completed"
    assert (saga.context["droplet_id"] != theirs, others(cloud, saga)) == (True, [theirs])


def test_a_saga_of_a_number_that_was_lost_makes_its_own_machine(cloud: Cloud) -> None:
    """A failover lost acme's saga, and globex's gets its number; no command of a restore was run."""
    acme = start_and_run("provision_droplet", **ORDER)
    number, made = acme.pk, acme.context["droplet_id"]
    with connection.cursor() as cursor:
        for table in ("saga_creates", "cloud_provisioned", "saga_step_results"):
            cursor.execute(f"DELETE FROM {table} WHERE saga_id = %s", [number])  # noqa: S608 - our own names
        cursor.execute("DELETE FROM saga_runs WHERE id = %s", [number])
        cursor.execute(f"ALTER TABLE saga_runs ALTER COLUMN id RESTART WITH {number}")
    cloud.simulator.fault(**PASSING["lost answer"], method="POST", path="/v2/droplets$")
    wish = {**ORDER, "name": "new-02", "record_name": "new2", "size": "s-2vcpu-4gb"}
    globex = start_and_run("provision_droplet", **wish)
    assert (globex.pk, globex.status) == (number, "completed")
    assert globex.context["droplet_id"] != made
    assert cloud.droplet(made)["size_slug"] == "s-1vcpu-1gb"
    assert cloud.droplet(globex.context["droplet_id"])["size_slug"] == "s-2vcpu-4gb"


def test_a_snapshot_of_an_earlier_saga_of_this_number_is_not_the_last_one(cloud: Cloud) -> None:
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    old = f"shop-web-01-saga-{saga.pk}-2"
    cloud.api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "snapshot", "name": old})
    assert run_to_end(saga).status == "completed"
    assert cloud.snapshots() - cloud.before["snapshots"] == {old, f"{old}-{saga.nonce}"}
    assert saga.context["snapshot_name"] == f"{old}-{saga.nonce}"


def test_a_snapshot_of_our_very_name_from_before_the_step_is_not_the_last_one(
    cloud: Cloud, settings: Settings
) -> None:
    """By whoever has seen the name: nothing proves that it is of the disk as it is now."""
    settings.ARCADIA_SAGA_CLOCK_SLACK_SECONDS = 1  # created_at has whole seconds
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    name = f"shop-web-01-saga-{saga.pk}-2-{saga.nonce}"
    cloud.api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "snapshot", "name": name})
    while name not in cloud.snapshots():
        time.sleep(0.1)
    time.sleep(2.5)
    (older,) = [each["id"] for each in cloud.all("/v2/snapshots", "snapshots") if each["name"] == name]
    assert run_to_end(saga).status == "completed"
    found = {each["id"] for each in cloud.all("/v2/snapshots", "snapshots") if each["name"] == name}
    assert found == {older, saga.context["snapshot_id"]}
    assert saga.context["snapshot_id"] != older


@pytest.mark.parametrize("which", ["the number alone, younger", "another nonce"])
def test_one_that_is_marked_with_the_number_of_a_live_saga_may_be_changed(cloud: Cloud, which: str) -> None:
    theirs = foreign_droplet(cloud, start("provision_droplet", **ORDER), which)
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    assert start_and_run("snapshot_droplet", droplet_id=theirs).status == "completed"


@pytest.mark.parametrize("mark", ["", "-0123456789abcdef"])
def test_a_project_that_another_saga_of_this_number_made_stays(
    cloud: Cloud, fail_after: FailAfter, mark: str
) -> None:
    saga = start(fail_after("provision_droplet", 3), **ORDER)
    project = {"name": ORDER["project"], "purpose": "Web Application", "environment": "Production"}
    cloud.api.post("/v2/projects", {**project, "description": f"Made by saga:{saga.pk}-1{mark}."})
    assert run_to_end(saga).status == "rolled_back"
    assert ORDER["project"] in cloud.projects()


@pytest.mark.parametrize("fault", ["none", "lost answer", "no connection"])
def test_it_is_neither_adopted_nor_taken_for_a_twin(cloud: Cloud, fault: str) -> None:
    if fault != "none":
        cloud.simulator.fault(**PASSING[fault], method="POST", path="/v2/droplets$")
    saga = start("provision_droplet", **ORDER)
    theirs = foreign_droplet(cloud, saga)
    assert run_to_end(saga).status == "completed"
    (made,) = cloud.named("new-01")
    assert saga.context["droplet_id"] == made["id"]
    assert [each["id"] for each in cloud.named("theirs")] == [theirs]


def test_what_a_lost_answer_made_is_known_on_a_calendar_of_another_year(
    cloud: Cloud, settings: Settings
) -> None:
    """The simulator's `--today`: bin/run allows for clocks that differ by years."""
    cloud.simulator.reset(fleet="default", seed=1, droplets=0, today="2024-05-10", speed=SPEED)
    settings.ARCADIA_SAGA_CLOCK_SLACK_SECONDS = 10**9
    cloud.simulator.fault(**PASSING["lost answer"], method="POST", path="/v2/droplets$")
    assert run_to_end(start("provision_droplet", **ORDER)).status == "completed"
    assert len(cloud.named("new-01")) == 1


@pytest.mark.parametrize("done", [2, 3, len(PROVISION_STEPS)])
def test_nor_is_it_destroyed_by_a_compensation(cloud: Cloud, fail_after: FailAfter, done: int) -> None:
    saga = start(fail_after("provision_droplet", done), **ORDER)
    theirs = foreign_droplet(cloud, saga)
    assert run_to_end(saga).status == "rolled_back"
    assert not cloud.named("new-01")
    assert [each["id"] for each in cloud.named("theirs")] == [theirs]


def test_after_a_restore_no_saga_gets_the_number_of_one_that_was_forgotten(transactional_db: None) -> None:
    before = start(message="hello").pk
    call_command("restored_from_backup", stdout=io.StringIO())
    assert start(message="hello").pk > before + 1_000_000
