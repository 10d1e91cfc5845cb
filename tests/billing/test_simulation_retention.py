"""The retention of price simulations: rows first, and never what a publication relied on."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.costs.simulation.results import VALID_FOR
from billing.costs.simulation.retention import KEPT, ROWS_KEPT
from billing.models import PlanSimulation
from billing.services import prune_simulations
from billing.tasks import prune_simulations as prune_task
from catalog.services import publish_version
from tests.billing.simulations import MAY_1, cheaper, simulated
from tests.deployments.rows import BY, on_sale, subscribed

pytestmark = pytest.mark.django_db(transaction=True)  # a lease is committed by itself
DAY = timedelta(days=1)


@pytest.fixture
def relied_on() -> PlanSimulation:
    """The simulation of a version that was published on the strength of it."""
    first = on_sale("studio", 5000)
    for number in range(3):
        subscribed("studio", slug=f"shop-{number}", at=MAY_1)
    version = cheaper(first)
    simulation = simulated(version)
    publish_version(version_pk=version.pk, replaces=first.pk, actor=BY, at=timezone.now())
    return simulation


def another(simulation: PlanSimulation, **more: Any) -> PlanSimulation:
    """Copy a simulation with its rows, as one that nothing was published on."""
    rows = list(simulation.rows.all())
    copy = PlanSimulation.objects.get(pk=simulation.pk)
    copy.pk, copy.plan_version = None, None
    for name, value in more.items():
        setattr(copy, name, value)
    copy.save(force_insert=True)
    for row in rows:
        row.pk, row.simulation = None, copy
        row.save(force_insert=True)
    return copy


def left() -> dict[int, int]:
    """The simulations that there are, with how many rows they have."""
    return {each.pk: each.rows.count() for each in PlanSimulation.objects.all()}


def test_rows_go_before_simulations_and_what_was_published_stays(relied_on: PlanSimulation) -> None:
    assert relied_on.finished_at is not None
    of_a_draft = another(relied_on)
    running = another(relied_on, status="running", finished_at=None)
    rows = relied_on.rows.count()
    assert rows == 3
    ended = relied_on.finished_at
    assert ROWS_KEPT > VALID_FOR, "what the gate may take is complete"
    prune_simulations(at=ended + ROWS_KEPT)
    assert left() == {relied_on.pk: 3, of_a_draft.pk: 3, running.pk: 3}
    counts = prune_simulations(at=ended + ROWS_KEPT + DAY)
    assert (counts.rows, counts.simulations) == (3, 0)
    assert left() == {relied_on.pk: 3, of_a_draft.pk: 0, running.pk: 3}
    of_a_draft.refresh_from_db()
    assert of_a_draft.rows_deleted_at == ended + ROWS_KEPT + DAY
    # Two years later the sums of what was published are all that is left.
    counts = prune_simulations(at=ended + KEPT + DAY)
    assert (counts.rows, counts.simulations) == (3, 1)
    assert left() == {relied_on.pk: 0, running.pk: 3}
    assert prune_simulations(at=ended + 2 * KEPT).rows == 0
    assert left() == {relied_on.pk: 0, running.pk: 3}


def test_one_that_is_older_than_seven_days_at_the_publication_was_not_relied_on(
    relied_on: PlanSimulation,
) -> None:
    assert relied_on.finished_at is not None
    before = relied_on.finished_at - VALID_FOR
    PlanSimulation.objects.filter(pk=relied_on.pk).update(finished_at=before)
    prune_simulations(at=before + ROWS_KEPT + DAY)
    assert left() == {relied_on.pk: 0}


def test_the_page_says_that_the_rows_were_deleted_and_the_task_reports_how_many(
    relied_on: PlanSimulation, admin_client: Client
) -> None:
    of_a_draft = another(relied_on)
    PlanSimulation.objects.filter(pk=of_a_draft.pk).update(finished_at=timezone.now() - ROWS_KEPT - DAY)
    assert prune_task() == {"rows": 3, "simulations": 0}
    page = admin_client.get(f"/admin/billing/plansimulation/{of_a_draft.pk}/change/").content.decode()
    assert page.count("The rows were deleted on") == 2
