"""The main job's last stages: ten days of usage, and a quote for every demo deployment."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from arcadia_cloud.main_job.pipeline import run_metering, run_quotes
from arcadia_cloud.main_job.seeds.demo import PLANS, seed_demo, sold_at
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
