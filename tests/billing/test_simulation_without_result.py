"""A simulation without a result: unknown is no zero, to the API and in the console."""

from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import PlanSimulation
from billing.models.simulations import PlanSimulationRow
from billing.services import request_plan_simulation, run_simulation
from billing.states import SimulationStatus
from catalog.models import PlanVersion
from deployments.models import Subscription, SubscriptionVersion
from tests.billing.test_simulation_edges import OPERATOR, cheaper, post
from tests.console.conftest import Login, login

__all__ = ["cheaper", "login"]  # the fixtures

pytestmark = pytest.mark.django_db(transaction=True)
_RESULTS: Final = (
    "other_currency", "months_left_out", "months_quoted", "pay_more", "pay_less", "cross_into_overage",
    "revenue_now", "revenue_then", "difference", "cost", "margin_now", "margin_then", "unpriced",
)  # fmt: skip


def in_state(version: PlanVersion, status: SimulationStatus) -> PlanSimulation:
    """A simulation in this state, with a row that its worker has stored already."""
    simulation = request_plan_simulation(version_pk=version.pk, months=1, actor="a test", at=timezone.now())
    ended = timezone.now() if status == "failed" else None
    PlanSimulation.objects.filter(pk=simulation.pk).update(status=status, finished_at=ended)
    subscription = Subscription.objects.select_related("deployment").earliest("pk")
    PlanSimulationRow.objects.create(
        simulation=simulation,
        subscription=subscription,
        deployment=subscription.deployment,
        tenant_id=subscription.deployment.tenant_id,
        month=simulation.first_month,
        revenue_now=7,
        revenue_then=9,
    )
    simulation.refresh_from_db()
    return simulation


@pytest.mark.parametrize("status", ["queued", "running", "failed"])
def test_the_api_has_no_result_before_there_is_one(cheaper: PlanVersion, status: SimulationStatus) -> None:
    simulation = in_state(cheaper, status)

    shown = Client().get(f"/api/v1/catalog/simulations/{simulation.pk}", headers=OPERATOR).json()

    assert {name: shown[name] for name in _RESULTS} == dict.fromkeys(_RESULTS)
    assert (shown["tenants"], shown["rows"]) == ([], [])


def test_the_answer_to_the_request_has_no_result_either(cheaper: PlanVersion) -> None:
    body: dict[str, Any] = post(cheaper).json()
    assert {name: body[name] for name in _RESULTS} == dict.fromkeys(_RESULTS)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("queued", "Known once the simulation has ended."),
        ("running", "Known once the simulation has ended."),
        ("failed", "The simulation failed: there is no result."),
    ],
)
def test_the_console_has_no_result_before_there_is_one(
    cheaper: PlanVersion, login: Login, status: SimulationStatus, words: str
) -> None:
    simulation = in_state(cheaper, status)
    pricing = login("billing")

    page = pricing.get(f"/admin/billing/plansimulation/{simulation.pk}/change/")
    listed = pricing.get("/admin/billing/plansimulation/").content.decode()

    text = page.content.decode()
    assert page.context["sums"][0] == ("Revenue without tax", "-", "-")
    assert text.count(words) == 2
    assert "Pay less" not in text
    assert "AUD" not in listed
    file = pricing.get(f"/admin/billing/plansimulation/{simulation.pk}/rows/")
    assert b"".join(file.streaming_content).count(b"\n") == 1  # type: ignore[attr-defined]  # a download
    assert ">0<" not in "".join(listed.split())


def test_a_simulation_of_no_complete_month_says_so(cheaper: PlanVersion, login: Login) -> None:
    SubscriptionVersion.objects.update(starts_on=timezone.now().date().replace(day=1))
    simulation = request_plan_simulation(version_pk=cheaper.pk, months=1, actor="a test", at=timezone.now())
    run_simulation(simulation_pk=simulation.pk)
    pricing = login("billing")

    own = pricing.get(f"/admin/billing/plansimulation/{simulation.pk}/change/").content.decode()
    version = pricing.get(f"/admin/catalog/planversion/{cheaper.pk}/change/").content.decode()

    assert "No subscriber had a complete month: who would pay more isn&rsquo;t known." in own
    assert "No subscriber had a complete month: who would pay more isn&rsquo;t known." in version
    assert "pay less" not in version
