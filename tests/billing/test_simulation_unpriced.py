"""A simulation whose costs lack prices: at least so much, and margins at most, wherever they are shown."""

import csv
from io import StringIO
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.utils import timezone

from arcadia_cloud.kernel.periods import previous_month
from billing.models import DailyCost, PlanSimulation
from billing.queries import differences_by_tenant
from catalog.models import PlanVersion
from deployments.models import Subscription
from tests.billing.margins import a_rate
from tests.billing.simulations import computed, costs, simulated
from tests.billing.test_simulation_edges import OPERATOR, cheaper
from tests.console.conftest import Login, login

__all__ = ["cheaper", "login"]  # the fixtures

pytestmark = pytest.mark.django_db(transaction=True)
_ADDRESS: Final = "/api/v1/catalog/simulations/"


@pytest.fixture
def costly(cheaper: PlanVersion) -> PlanVersion:
    """One deployment's costs lack a resource on two days, and the other cost nothing."""
    month = previous_month(timezone.now())
    computed(month)
    a_rate("2", day=month.start, pair="USD AUD")
    subscription = Subscription.objects.select_related("deployment").earliest("pk")
    for day in list(month)[:2]:
        costs(subscription, "10.00", day=day, unpriced=1)
    return cheaper


def test_the_api_counts_the_days_without_a_price(costly: PlanVersion, client: Any) -> None:
    simulation = simulated(costly, at=timezone.now())
    answer = client.get(f"{_ADDRESS}{simulation.pk}", headers=OPERATOR).json()
    assert (answer["cost"], answer["unpriced"]) == ("40.00", 2)
    assert [tenant["unpriced"] for tenant in answer["tenants"]] == [2]
    assert sorted(row["unpriced"] for row in answer["rows"]) == [0, 2]


def test_the_console_says_at_least_and_at_most(costly: PlanVersion, login: Login) -> None:
    simulation = simulated(costly, at=timezone.now())
    page = login("billing").get(f"/admin/billing/plansimulation/{simulation.pk}/change/")
    assert page.context["sums"][1:] == [
        ("Cost", "at least AUD 40.00", "at least AUD 40.00"),
        ("Margin", "at most AUD 60.00", "at most AUD 50.00"),
    ]
    assert "2 days of resources, which are in no cost" in page.content.decode()
    assert [cells[-1] for cells in page.context["tenants"]] == ["at least AUD 40.00"]
    assert sorted(cells[-1] for cells in page.context["rows"]) == ["AUD 0.00", "at least AUD 40.00"]


def test_its_file_and_the_command_say_so(costly: PlanVersion, login: Login) -> None:
    simulation = simulated(costly, at=timezone.now())
    file: Any = login("billing").get(f"/admin/billing/plansimulation/{simulation.pk}/rows/")
    rows = csv.DictReader(StringIO(b"".join(file.streaming_content).decode()))
    assert sorted(row["unpriced"] for row in rows) == ["0", "2"]

    output = StringIO()
    call_command("simulate_plan", "studio", stdout=output)
    assert "margin at most AUD 60.00 -> at most AUD 50.00" in output.getvalue()
    assert "cost without 2 days of resources that have no list price" in output.getvalue()


def test_one_of_an_earlier_release_says_that_they_were_not_counted(costly: PlanVersion, login: Login) -> None:
    simulation = simulated(costly, at=timezone.now())
    PlanSimulation.objects.update(unpriced=None)
    simulation.rows.update(unpriced=None)
    page = login("billing").get(f"/admin/billing/plansimulation/{simulation.pk}/change/")
    assert "not counted: it ran before they were" in page.content.decode()
    assert [tenant.unpriced for tenant in differences_by_tenant(simulation.pk, most=1)] == [None]


def test_one_whose_costs_have_their_prices_is_exact(costly: PlanVersion, login: Login) -> None:
    DailyCost.objects.update(unpriced=0)
    simulation = simulated(costly, at=timezone.now())
    page = login("billing").get(f"/admin/billing/plansimulation/{simulation.pk}/change/")
    assert page.context["sums"][1] == ("Cost", "AUD 40.00", "AUD 40.00")
    assert "Without a list price" not in page.content.decode()
