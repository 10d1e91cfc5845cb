"""The main job's last stages: ten days of usage, and a quote for every demo deployment."""

from decimal import Decimal

import pytest

from arcadia_cloud.main_job.pipeline import run_metering, run_quotes
from arcadia_cloud.main_job.seeds.demo import PLANS, seed_demo
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
