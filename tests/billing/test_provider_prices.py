"""The provider's list prices: seeded with their source, kept from `/v2/sizes`, edited in the console."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client

from arcadia_cloud.digitalocean.records import SizeRecord
from billing.costs.prices import keep_size_prices, seed_prices
from billing.models import CostDay, ProviderPrice
from billing.services import read_provider_prices
from tests.access import bearer, token_of
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 2)


def a_size(slug: str = "s", price: str = "24.00", **fields: Any) -> SizeRecord:
    plain = {"regions": ["fra1", "syd1"], "price_hourly": Decimal(price) / 672}
    return SizeRecord(
        slug=slug, memory=1, vcpus=1, disk=1, price_monthly=Decimal(price), **{**plain, **fields}
    )


def prices(sku: str = "s", region: str = "") -> list[tuple[Any, Any, str, bool]]:
    """From, to, dollars, and whether it is sold."""
    rows = ProviderPrice.objects.filter(sku=sku, region=region)
    rows = rows.order_by(F("effective_from").asc(nulls_first=True))
    return [(row.effective_from, row.effective_to, f"{row.price:.2f}", row.is_available) for row in rows]


def test_what_is_read_first_counts_since_ever_and_reading_it_again_changes_nothing() -> None:
    for day in (DAY, DAY, DAY + timedelta(days=1)):
        keep_size_prices([a_size()], day=day)
        assert prices() == prices(region="fra1") == prices(region="syd1") == [(None, None, "24.00", True)]
    row = ProviderPrice.objects.get(sku="s", region="")
    assert (row.source, row.read_on, row.monthly_cap) == ("/v2/sizes", DAY, Decimal(24))


def test_another_price_is_another_row_from_its_day_on() -> None:
    keep_size_prices([a_size()], day=DAY)
    keep_size_prices([a_size(price="28.00")], day=DAY + timedelta(days=5))
    keep_size_prices([a_size(price="29.00")], day=DAY + timedelta(days=5))
    assert prices() == [
        (None, DAY + timedelta(days=5), "24.00", True),
        (DAY + timedelta(days=5), None, "29.00", True),
    ]


def test_a_region_that_stops_selling_a_size_and_a_size_that_is_gone_keep_their_price() -> None:
    keep_size_prices([a_size()], day=DAY)
    later, latest = DAY + timedelta(days=1), DAY + timedelta(days=2)
    keep_size_prices([a_size(regions=["fra1"])], day=later)
    assert prices(region="syd1") == [(None, later, "24.00", True), (later, None, "24.00", False)]
    assert prices(region="fra1") == [(None, None, "24.00", True)]
    keep_size_prices([], day=latest)
    assert prices() == [(None, latest, "24.00", True), (latest, None, "24.00", False)]
    keep_size_prices([a_size(regions=["fra1"])], day=latest + timedelta(days=1))
    assert prices()[-1] == (latest + timedelta(days=1), None, "24.00", True)


def test_a_days_two_prices_of_one_thing_are_refused() -> None:
    keep_size_prices([a_size()], day=DAY)
    with pytest.raises(IntegrityError, match="provider_price_overlaps_none"), transaction.atomic():
        ProviderPrice.objects.create(
            kind="droplet", sku="s", price=1, source="a test", read_on=DAY, effective_from=DAY
        )


def test_seeds_name_their_source_and_leave_what_an_operator_wrote() -> None:
    ProviderPrice.objects.create(
        kind="volume", unit="gib_month", price=Decimal("0.08"), source="our contract", read_on=DAY
    )
    assert seed_prices() > 5
    assert seed_prices() == 0
    assert ProviderPrice.objects.get(kind="volume").price == Decimal("0.08")
    assert not ProviderPrice.objects.filter(kind="droplet").exists()
    assert ProviderPrice.objects.get(kind="snapshot").source.startswith("https://docs.digitalocean.com/")
    assert ProviderPrice.objects.get(kind="load_balancer", sku="lb-medium").price == 36, "three nodes"
    doubtful = ProviderPrice.objects.filter(is_verified=False)
    assert {row.kind for row in doubtful} == {"database", "vpc"}
    assert all(row.source.startswith("not verified") for row in doubtful)
    assert all("://" in row.source for row in ProviderPrice.objects.exclude(kind="volume"))
    without = ("app", "droplet_backup", "registry", "spaces_bucket")
    assert not ProviderPrice.objects.filter(kind__in=without).exists(), "they have no price for each resource"


def test_the_daily_reading_keeps_what_the_provider_sells_and_makes_past_days_due(
    transactional_db: None, simulator: Simulated
) -> None:
    CostDay.objects.create(day=DAY, source="accrued", computed_at=f"{DAY}T04:00Z")
    counts = read_provider_prices(day=DAY)
    assert counts.begun == ProviderPrice.objects.filter(kind="droplet").count() > 30
    assert CostDay.objects.get().computed_at is None
    CostDay.objects.update(computed_at=f"{DAY}T05:00Z")
    again = read_provider_prices(day=DAY + timedelta(days=1))
    assert (again.begun, again.ended) == (0, 0)
    assert CostDay.objects.get().computed_at is not None


def test_a_correction_in_the_console_has_its_days_computed_again(admin_client: Client) -> None:
    price = ProviderPrice.objects.create(
        kind="volume", unit="gib_month", price=Decimal("0.08"), source="a guess", read_on=DAY,
        effective_from=DAY,
    )  # fmt: skip
    for day in (DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)):
        CostDay.objects.create(day=day, source="accrued", computed_at=f"{DAY}T04:00Z")
    answer = admin_client.post(
        f"/admin/billing/providerprice/{price.pk}/change/",
        {
            "kind": "volume", "sku": "", "region": "", "unit": "gib_month", "price": "0.10",
            "monthly_cap": "0.10",
            "is_available": "on", "source": "the price page", "read_on": f"{DAY}", "effective_from": f"{DAY}",
            "effective_to": "",
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.content
    assert ProviderPrice.objects.get().price == Decimal("0.10")
    due = CostDay.objects.filter(computed_at=None).order_by("day").values_list("day", flat=True)
    assert list(due) == [DAY, DAY + timedelta(days=1)]


def test_a_price_of_a_kind_that_is_none_is_refused(admin_client: Client) -> None:
    """Kept, it would be the price of no resource."""
    address = "/admin/billing/providerprice/add/"
    form = {
        "kind": "droplets", "sku": "", "region": "", "unit": "month", "price": "5",
        "source": "the price page", "read_on": f"{DAY}",
    }  # fmt: skip
    assert "Spaces bucket" in admin_client.get(address).content.decode()
    refused = admin_client.post(address, form)
    assert refused.status_code == 200
    assert list(refused.context["adminform"].form.errors) == ["kind"]
    assert not ProviderPrice.objects.exists()
    assert admin_client.post(address, form | {"kind": "droplet"}).status_code == 302
    assert ProviderPrice.objects.get().kind == "droplet"


COSTS = "/api/v1/costs/days"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"from": "2026-4-1"}, "from"),
        ({"from": "2026-04-01", "to": "2026-04-01"}, "to"),
        ({"from": "2026-01-01", "to": "2026-06-01"}, "to"),
        ({"by": "project"}, "by"),
        ({"source": "guessed"}, "source"),
        ({"since": "2026-04-01"}, "since"),
    ],
)
def test_the_days_that_are_asked_for_are_checked(client: Client, query: dict[str, str], wrong: str) -> None:
    answer = client.get(COSTS, query, headers=bearer(token_of("platform_admin")))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [wrong])


def test_days_are_for_operators_alone(client: Client) -> None:
    assert client.get(COSTS, headers=bearer(token_of(tenant="acme"))).status_code == 403
