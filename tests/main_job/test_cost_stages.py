"""The main job's stages of costs: list prices, what the provider reports, and the days."""

import pytest

from arcadia_cloud.main_job.pipeline import run_billing, run_daily_costs, run_prices, run_reported_costs
from billing.models import CostDay, DailyCost, ProviderPrice
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.simulated import Simulated


@pytest.mark.django_db(transaction=True)
def test_prices_and_reported_costs_are_read_and_fourteen_months_of_days_filled_in(
    simulator: Simulated,
) -> None:
    simulator.reset(fleet="default", today="2026-05-10", invoices=3)
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "volume", "app"])
    said: list[str] = []
    assert next(iter(run_billing(said.append))).status == "ok"
    (prices,) = run_prices(said.append)
    assert (prices.stage, prices.status) == ("provider prices", "ok")
    assert prices.counts["begun"] == ProviderPrice.objects.filter(kind="droplet").count() > 30
    (reported,) = run_reported_costs(said.append)
    assert (reported.stage, reported.counts["refused"]) == ("reported costs", 0)
    assert reported.counts["days"] == CostDay.objects.filter(source="reported").count() > 365
    (days,) = run_daily_costs(said.append)
    assert (days.stage, days.status) == ("daily costs", "ok")
    assert days.counts["days"] == CostDay.objects.count()
    assert days.counts["rows"] == DailyCost.objects.count() > 0
    assert days.counts["unpriced"] > 0, "apps"
    assert set(DailyCost.objects.values_list("source", flat=True)) == {"billed", "reported", "accrued"}
    assert f"daily costs: {days.counts['days']} of {days.counts['days']} days" in said
    (again,) = run_daily_costs(said.append)
    assert again.counts["days"] < 3 * 65, "this month and the last"
