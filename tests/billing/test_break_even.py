"""Break-even of plan versions: at full allowances and at their subscribers' median use."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.periods import previous_month
from billing.costs.prices import seed_prices
from billing.queries import MissingExchangeRate, compute_break_even
from catalog.models import PlanVersion
from deployments.models import Deployment
from inventory.models import Resource
from metering.models import UsageRecord
from tests.billing.margins import LATER, a_plan, a_rate, margin, sold
from tests.billing.rows import a_resource
from tests.catalog.rows import draft, stored_plan
from tests.console.conftest import Login, login

__all__ = ["login"]  # the fixture of the console's tests

pytestmark = pytest.mark.django_db


def starter() -> PlanVersion:
    """A plan of AUD 20.00: a droplet of a month, ten GB of snapshots, and tokens, which nothing prices."""
    version = a_plan("starter", 2000, droplet_hours=720, snapshot_gb_month=10, llm_tokens=1000)
    return PlanVersion.objects.select_related("plan").prefetch_related("items").get(pk=version.pk)


def droplet(price: int, deployment: Deployment | None = None) -> Resource:
    return a_resource(f"web-{Resource.objects.count()}", monthly_price_cents=price, deployment=deployment)


def test_at_full_allowance_this_version_loses_3_10_aud() -> None:
    # 14.40 dollars a droplet, 0.60 of snapshots: 15.00 at 0.6493506494 are 23.10 AUD.
    a_rate("1.54", pair="USD AUD")
    seed_prices()
    other = Deployment.objects.create(tenant_id="acme", slug="other")
    droplet(1440, other)
    droplet(99900)  # of no deployment: no customer's
    found = compute_break_even(starter(), at=LATER)
    assert str(found.full.revenue) == "AUD 20.00"
    assert str(found.full.cost) == "AUD 23.10"
    assert str(found.full.result) == "-AUD 3.10"
    assert found.full.unpriced == ["llm_tokens"]
    assert found.median is None


def test_a_versions_own_droplets_price_its_hours_and_the_median_is_of_all_its_subscriptions() -> None:
    a_rate("1", pair="USD AUD")
    version = starter()
    shops = [sold(f"shop-{number}", plan="starter").deployment for number in range(3)]
    droplet(600, shops[0])
    droplet(99900, Deployment.objects.create(tenant_id="acme", slug="other"))
    for shop, hours in zip(shops, (72, 360, 720), strict=True):
        UsageRecord.objects.create(
            deployment=shop, resource_kind="droplet_hours", qty=hours, granularity="daily",
            period_start=datetime(2026, 4, 5, tzinfo=UTC), period_end=datetime(2026, 4, 6, tzinfo=UTC),
        )  # fmt: skip
    margin()
    found = compute_break_even(version, at=LATER)
    assert found.median is not None
    assert {row.kind: row.quantity for row in found.median.kinds if row.quantity} == {
        "droplet_hours": Decimal(360)
    }
    # Half a month of a droplet of 6.00 dollars.
    assert (str(found.median.cost), str(found.median.revenue)) == ("AUD 3.00", "AUD 20.00")
    assert str(found.full.cost) == "AUD 6.00"
    assert found.full.unpriced == ["llm_tokens", "snapshot_gb_month"]


def test_without_a_rate_nothing_is_computed_and_the_page_names_it(login: Login) -> None:
    version = starter()
    droplet(1440, Deployment.objects.create(tenant_id="acme", slug="other"))
    with pytest.raises(MissingExchangeRate, match="from USD to AUD on 2026-04-30"):
        compute_break_even(version, at=LATER)
    address = f"/admin/catalog/planversion/{version.pk}/change/"
    assert "there is no exchange rate from USD to AUD" in login("viewer").get(address).content.decode()


def test_a_versions_page_says_what_it_earns(login: Login) -> None:
    version = starter()
    seed_prices()
    last_day = previous_month(timezone.now()).end - timedelta(days=1)
    a_rate("1.54", pair="USD AUD", day=last_day)
    droplet(1440, Deployment.objects.create(tenant_id="acme", slug="other"))
    address = f"/admin/catalog/planversion/{version.pk}/change/"
    text = unescape(" ".join(login("viewer").get(address).content.decode().split()))
    assert "At full allowance this version" in text
    assert "Not priced: LLM tokens." in text
    assert "No month of a subscription is stored" in text
    plain = draft(stored_plan("starter"), 99900)
    earns = login("billing").get(f"/admin/catalog/planversion/{plain.pk}/change/").content.decode()
    assert "At full allowance this version earns 999.00 AUD." in earns
