"""The checks of a closed month: list prices against the invoice, and resources without a line."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.periods import month_of
from billing.costs.days import compute_due_days
from billing.models import CostDay, CostLine, ProviderPrice
from billing.queries import compare_prices, list_undercharges
from deployments.models import Deployment
from tests.access import bearer, token_of
from tests.billing.csv_files import FIRST, LAST, a_line
from tests.billing.rows import APRIL, a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans

pytestmark = pytest.mark.django_db

BIRTH = datetime(2025, 1, 1, tzinfo=UTC)


def a_price(kind: str = "droplet", price: str = "24.00", **fields: Any) -> None:
    plain = {"monthly_cap": Decimal(price), "source": "a test", "read_on": date(2026, 1, 1)}
    ProviderPrice.objects.create(kind=kind, price=Decimal(price), **{**plain, **fields})


def bill(*lines: Any, amount: str) -> None:
    store_lines(lines, invoice=an_invoice(amount=amount, ingest_status="ingested"))


def compute() -> None:
    for source in ("billed", "accrued"):
        CostDay.objects.bulk_create(CostDay(day=day, source=source) for day in month_of(APRIL))
    compute_due_days()


def test_a_closed_months_kinds_show_how_far_list_prices_are_from_the_invoice() -> None:
    a_price()
    a_price("volume", "0.10", unit="gib_month", is_verified=False)
    # Of other months.
    a_price(sku="old", is_verified=False, effective_to=APRIL)
    a_price("app", "5.00", sku="basic", is_verified=False, effective_from=date(2026, 5, 1))
    give_spans(a_resource("web-01"), [(BIRTH, None, {})])
    give_spans(a_resource("data", kind="volume"), [(BIRTH, None, {"size_gb": 100})])
    give_spans(a_resource("shop", kind="app"), [(BIRTH, None, {})])
    bill(
        a_line(1, amount="20.00"),
        a_line(2, "data (fra1) 100GB", "10.00", product="Volumes"),
        a_line(3, "shop (basic)", "5.00", product="App Platform"),
        a_line(4, "GST (10%)", "3.50", product="Taxes"),
        amount="38.50",
    )
    compute()
    found = compare_prices(APRIL)
    assert [
        (each.kind, *(amount and f"{amount:.2f}" for amount in (each.billed, each.accrued, each.difference)))
        for each in found
    ] == [
        ("app", "5.00", None, None),  # no price: how far it is off isn't known
        ("droplet", "20.00", "24.00", "4.00"),
        ("volume", "10.00", "10.00", Decimal(0)),
    ]
    assert [(each.unpriced, each.prices, each.unverified) for each in found] == [
        (30, 0, 0), (0, 1, 0), (0, 1, 1),
    ]  # fmt: skip


def test_a_kind_with_prices_for_some_of_it_comes_to_a_least_sum() -> None:
    a_price(sku="s")
    for name, sku in (("web-01", "s"), ("web-02", "unknown")):
        give_spans(a_resource(name), [(BIRTH, None, {"sku": sku})])
    bill(a_line(1, amount="20.00"), amount="20.00")
    compute()
    (row,) = compare_prices(APRIL)
    assert (row.accrued, row.unpriced, row.prices) == (Decimal("24.00"), 30, 1)


def test_a_month_that_is_not_billed_has_nothing_to_compare_and_no_undercharges() -> None:
    with pytest.raises(NotFound, match="2026-04"):
        compare_prices(APRIL)
    an_invoice("preview", is_preview=True, issued_on=None)
    with pytest.raises(NotFound, match="2026-04"):
        list_undercharges(APRIL)


def test_a_live_span_without_a_line_of_its_own_in_a_billed_month_is_listed() -> None:
    shop = Deployment.objects.create(tenant_id="a", slug="shop")
    a_price(sku="s")
    a_price("firewall", "0")
    owner = {"tenant_id": "a", "deployment": shop, "sku": "s"}
    give_spans(a_resource("web-01"), [(BIRTH, None, {})])
    half = FIRST + timedelta(hours=336)
    missing = a_resource("missing")
    give_spans(
        missing,
        [(BIRTH, FIRST + timedelta(hours=1), {"sku": "s"}), (FIRST + timedelta(hours=1), half, owner)],
    )
    give_spans(a_resource("backed-up"), [(BIRTH, None, {"sku": "s"})])
    give_spans(a_resource("odd", kind="app"), [(BIRTH, None, {})])
    # None of these is an undercharge: gone before, too short, free, on its cluster's line.
    give_spans(a_resource("gone"), [(BIRTH, FIRST, {"sku": "s"})])
    give_spans(a_resource("short"), [(LAST - timedelta(minutes=59), None, {"sku": "s"})])
    give_spans(a_resource("wall", kind="firewall"), [(BIRTH, None, {})])
    give_spans(a_resource("worker", attrs={"cluster_id": "c-1"}), [(BIRTH, None, {"sku": "s"})])
    bill(a_line(1), a_line(2, "backed-up (s)", "1.20", product="Backups"), amount="7.20")
    # It was billed until the month before.
    march = an_invoice("in march", period=date(2026, 3, 1))
    CostLine.objects.create(
        invoice=march, line_no=1, kind="droplet", resource=missing, match="id", amount=6, is_tax=False,
        started_at=datetime(2026, 3, 1, tzinfo=UTC), ended_at=FIRST,
    )  # fmt: skip
    found = [
        (each.name, each.tenant_id, each.deployment_id, each.hours, each.expected, each.since)
        for each in list_undercharges(APRIL)
    ]
    assert found == [
        ("backed-up", None, None, Decimal(720), Decimal("24.00"), BIRTH),
        ("missing", "a", shop.pk, Decimal(336), Decimal("12.00"), FIRST),
        ("odd", None, None, Decimal(720), None, BIRTH),
    ]
    assert [each.name for each in list_undercharges(APRIL, limit=1)] == ["backed-up"]


OPERATOR = bearer(token_of("platform_admin"))


def test_the_api_has_both_for_operators_alone(client: Client) -> None:
    a_price()
    give_spans(a_resource("web-01"), [(BIRTH, None, {})])
    give_spans(a_resource("missing"), [(BIRTH, None, {"tenant_id": "a"})])
    bill(a_line(1, amount="20.00"), amount="20.00")
    compute()
    accuracy = client.get("/api/v1/costs/accuracy", {"period": "2026-04"}, headers=OPERATOR).json()
    assert accuracy["period"] == "2026-04-01"
    (row,) = accuracy["rows"]
    assert {name: row[name] for name in ("kind", "billed", "difference", "unpriced")} == {
        "kind": "droplet", "billed": "20.00", "difference": "28.00", "unpriced": 0,
    }  # fmt: skip
    undercharges = client.get("/api/v1/costs/undercharges", {"period": "2026-04"}, headers=OPERATOR).json()
    assert [(row["name"], row["tenant_id"], row["expected"]) for row in undercharges["rows"]] == [
        ("missing", "a", "24.00"),
    ]
    for name in ("accuracy", "undercharges"):
        address = f"/api/v1/costs/{name}"
        assert client.get(address, {"period": "2026-03"}, headers=OPERATOR).status_code == 404
        assert list(client.get(address, {"period": "april"}, headers=OPERATOR).json()["errors"]) == ["period"]
        stranger = bearer(token_of(tenant="a"))
        assert client.get(address, {"period": "2026-04"}, headers=stranger).status_code == 403
