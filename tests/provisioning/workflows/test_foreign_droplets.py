"""Droplets with a saga's mark that it didn't make: numbers repeat after a restore and elsewhere."""

import io

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from provisioning.models import SagaRun
from tests.provisioning.sagas import run_to_end, start
from tests.provisioning.workflows.cloud import ORDER, PASSING, Cloud
from tests.provisioning.workflows.conftest import SPEED, FailAfter
from tests.provisioning.workflows.outcomes import PROVISION_STEPS


def foreign_droplet(cloud: Cloud, saga: SagaRun) -> int:
    """A droplet that had this saga's mark an hour before the saga began."""
    wish = {"name": "theirs", "tags": [f"saga:{saga.pk}-2"], "age_seconds": 3600}
    made: int = cloud.simulator.control("POST", "droplets", **wish)["droplets"][0]["id"]
    return made


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
