"""The main job's last stages: ten days of usage, a quote for every demo deployment, and the margin."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.periods import month_of, previous_month
from arcadia_cloud.main_job.pipeline import run_margin, run_metering, run_quotes
from arcadia_cloud.main_job.seeds.demo import DEMO_RATE, PLANS, seed_demo, sold_at
from billing.costs.days import accrue_day
from billing.models import ExchangeRate, MarginCost, MarginRevenue
from billing.services import read_provider_prices
from inventory.services import sync_inventory
from inventory.values import RunMode
from metering.models import UsageRecord
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


def test_ten_days_are_metered_and_every_demo_deployment_is_quoted(simulator: Simulated) -> None:
    seed_demo()
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "volume", "dns_zone"])
    (metered,) = run_metering(lambda _text: None)
    assert (metered.stage, metered.status, metered.counts["days"]) == ("meter", "ok", 10)
    assert metered.counts["records"] == UsageRecord.objects.count() > 0
    assert sum(UsageRecord.objects.values_list("qty", flat=True), Decimal(0)) > 0
    quotes = list(run_quotes(lambda _text: None))
    assert {quote.stage.partition("/")[2] for quote in quotes} == set(PLANS)
    assert all(quote.counts["AUD cents"] >= 2000 for quote in quotes), "the base fee of the cheapest plan"
    if sold_at(timezone.now()).date() < timezone.now().date():  # on the first of a month no day is over yet
        assert any(quote.counts["kinds used"] for quote in quotes)


def test_one_demo_deployment_loses_money_whatever_the_day_of_the_month(simulator: Simulated) -> None:
    seed_demo()
    assert seed_demo().deployments == 0
    assert set(ExchangeRate.objects.values_list("rate", flat=True)) == {DEMO_RATE}
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
    at = timezone.now()
    read_provider_prices(day=at.date())
    for day in previous_month(at):
        accrue_day(day)

    (result,) = run_margin(lambda _text: None)

    assert (result.stage, result.status, result.counts["months"]) == ("margin", "ok", 14)
    assert result.counts["deployments"] >= len(PLANS)
    # A whole month of its droplets against the fees of one, whatever day it is.
    losing = set()
    for revenue in MarginRevenue.objects.filter(month=month_of(at).start).select_related("deployment"):
        costs = MarginCost.objects.filter(deployment=revenue.deployment, month=previous_month(at).start)
        cost = sum(costs.values_list("amount", flat=True), Decimal(0))
        assert cost > 0
        if cost > DEMO_RATE * revenue.amount_cents / 100:
            losing.add(revenue.deployment.slug)
    assert losing == {"reports"}


@pytest.mark.parametrize(
    ("at", "sold"),
    [
        (datetime(2026, 11, 29, 8, tzinfo=UTC), datetime(2026, 11, 19, 8, tzinfo=UTC)),
        (datetime(2026, 11, 4, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_the_demo_is_sold_ten_days_ago_within_the_month(at: datetime, sold: datetime) -> None:
    assert sold_at(at) == sold
