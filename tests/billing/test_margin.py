"""The margin of a month: exact by every cut and spread, in one currency, by whoever owned what."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import month_of
from billing.costs.days import compute_due_days, make_days_due
from billing.costs.margin_months import compute_margin_month, compute_margin_months
from billing.costs.spread import spread_amount
from billing.models import CostDay, MarginCost, MarginMonth, MarginRevenue
from billing.queries import (
    CostSource,
    Figures,
    MarginBy,
    SpreadRule,
    limit_rows,
    list_months_by_plan,
    list_months_of_deployment,
    read_month_lines,
    report_margin,
)
from catalog.values.lines import Quote
from deployments.models import Deployment
from deployments.services import change_plan_version
from deployments.values import ChangeTime
from metering.models import UsageRecord
from metering.queries import quote_fleet, quote_month
from tests.billing.csv_files import FIRST, a_line
from tests.billing.margins import APRIL, LATER, a_plan, a_rate, cost_of, figures_of, margin, sold
from tests.billing.rows import a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans

pytestmark = pytest.mark.django_db
CUTS = list(product(MarginBy, SpreadRule))


def used(deployment: Deployment, kind: str, quantity: int, day: int = 2) -> None:
    start = datetime(2026, 4, day, tzinfo=UTC)
    UsageRecord.objects.create(
        deployment=deployment,
        resource_kind=kind,
        period_start=start,
        period_end=start + timedelta(days=1),
        granularity="daily",
        qty=quantity,
    )


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(("by", "spread"), CUTS)
def test_every_cut_and_spread_sums_to_the_invoice_and_the_quotes(by: MarginBy, spread: SpreadRule) -> None:
    a_rate("0.65")
    shop, crm = sold("shop"), sold("crm", tenant="globex", plan="pro", cents=12000)
    a_resource("web", tenant_id="acme", deployment=shop.deployment)
    a_resource("crm", tenant_id="globex", deployment=crm.deployment)
    a_resource("tools", tenant_id="acme")
    a_resource("bastion")
    invoice = an_invoice(amount="86.92", ingest_status="ingested")
    lines = [
        a_line(1, "web (s-1vcpu-1gb)", "24.00"),
        a_line(2, "crm (s-1vcpu-1gb)", "12.005"),
        a_line(3, "tools (s-1vcpu-1gb)", "0.000003"),
        a_line(4, "bastion (s-1vcpu-1gb)", "6.00"),
        a_line(5, "gone (s-1vcpu-1gb)", "36.015"),
        a_line(6, "GST (10%)", "7.90", product="Taxes"),
    ]
    store_lines(lines, invoice=invoice)
    CostDay.objects.bulk_create(CostDay(day=day, source=CostSource.BILLED) for day in APRIL)
    make_days_due(CostSource.BILLED, APRIL)
    compute_due_days()

    report = margin(by, spread)

    total = report.total
    assert total.cost + total.shared == Decimal("86.92")
    assert total.revenue == Decimal("0.65") * (Decimal("50.00") + Decimal("120.00"))
    assert total.margin == total.revenue - Decimal("86.92")
    assert report.sources == ("billed",)
    assert bool(report.apart) == (spread == SpreadRule.NONE)
    if spread == SpreadRule.NONE:
        # The credit of 0.999997 that no line has is an adjustment.
        assert set(report.apart) == {"unattributed", "unmatched", "tax", "adjustments"}


def test_a_deployment_that_costs_more_than_it_earns_comes_first() -> None:
    a_rate("0.65")
    cost_of("24.00", sold("shop").deployment)
    cost_of("42.00", sold("reports", tenant="initech", plan="starter", cents=2000).deployment)

    report = margin()

    assert list(figures_of(report).items()) == [
        ("initech/reports", ("13.00", "42.00", "-29.00")),
        ("acme/shop", ("32.50", "24.00", "8.50")),
    ]
    assert report.rows[0].figures.percent == Decimal("-223.1")
    assert report.rows[1].figures.percent == Decimal("26.2")
    assert not report.is_to_date


def test_a_deployment_without_a_subscription_costs_and_earns_nothing() -> None:
    lone = Deployment.objects.create(tenant_id="acme", slug="lone")
    cost_of("5.00", lone, unpriced=2)
    by_deployment, by_plan = margin(), margin(MarginBy.PLAN)
    assert figures_of(by_deployment) == {"acme/lone": ("0.00", "5.00", "-5.00")}
    assert figures_of(by_plan) == {"without a plan": ("0.00", "5.00", "-5.00")}
    assert (by_plan.total.percent, by_plan.total.unpriced) == (None, 2)


def test_a_month_with_a_change_of_owner_is_paid_by_both() -> None:
    a_rate("0.50")
    shop, crm = sold("shop").deployment, sold("crm", tenant="globex").deployment
    web = a_resource("web", tenant_id="globex", deployment=crm)
    noon = FIRST + timedelta(days=14, hours=12)
    give_spans(
        web,
        [
            (datetime(2025, 1, 1, tzinfo=UTC), noon, {"tenant_id": "acme", "deployment": shop}),
            (noon, None, {"tenant_id": "globex", "deployment": crm}),
        ],
    )
    whole_month = a_line(1, "web (s-1vcpu-1gb)", "24.00", started_at=FIRST, ended_at=APRIL.ends_at)
    store_lines([whole_month], invoice=an_invoice(amount="24.00", ingest_status="ingested"))
    CostDay.objects.bulk_create(CostDay(day=day, source=CostSource.BILLED) for day in APRIL)
    compute_due_days()
    # 348 of 720 hours, and the others.
    assert figures_of(margin()) == {
        "acme/shop": ("25.00", "11.60", "13.40"),
        "globex/crm": ("25.00", "12.40", "12.60"),
    }


def test_revenues_of_two_currencies_are_converted_each_by_its_own_rate() -> None:
    a_rate("0.65")
    a_rate("0.80", pair="USD EUR")
    cost_of("10.00", sold("shop").deployment)
    version = a_plan("euro", 4000)
    sold("kiosk", plan="euro")
    report = margin()
    assert report.total.revenue == Decimal("58.5")
    MarginRevenue.objects.filter(plan_version=version).update(currency="EUR")
    # From 0.80 EUR for a USD: 1.25 USD for an EUR.
    total = report_margin(month=APRIL, by=MarginBy.TENANT, spread=SpreadRule.NONE, at=LATER).total
    assert total.revenue == Decimal("82.5")
    assert [str(money) for money in total.revenues] == ["AUD 50.00", "EUR 40.00"]


def test_the_running_month_is_to_date_and_says_so() -> None:
    a_rate("0.65")
    cost_of("3.00", sold("shop").deployment, source="accrued", day=date(2026, 4, 3))
    at = datetime(2026, 4, 30, 12, tzinfo=UTC)
    report = margin(at=at)
    assert (report.is_to_date, report.costs_until, report.sources) == (True, date(2026, 4, 3), ("accrued",))


def test_a_billed_month_has_no_accrued_day_and_any_other_has_the_best_of_each() -> None:
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    cost_of("1.00", shop, source="accrued")
    cost_of("2.00", shop, source="accrued", day=date(2026, 4, 2))
    assert margin().total.cost == 3
    # Not of the first: no line has an hour of that day.
    cost_of("2.50", shop, source="billed", day=date(2026, 4, 2))
    report = margin()
    assert (report.total.cost, report.sources) == (Decimal("2.5"), ("billed",))


def test_what_is_beyond_a_limit_is_one_row_and_the_sum_stays() -> None:
    for number in range(5):
        cost_of(f"{number}.25", Deployment.objects.create(tenant_id="acme", slug=f"app-{number}"))
    report = margin()
    rows = limit_rows(report.rows, 2)
    assert [row.name for row in rows] == ["acme/app-4", "acme/app-3", "3 others"]
    assert sum((row.figures for row in rows), Figures()) == report.total


def test_a_second_run_changes_nothing_and_a_day_computed_since_has_its_month_computed_again() -> None:
    at = datetime(2026, 9, 10, tzinfo=UTC)
    assert compute_margin_months(at=at) == 14
    assert compute_margin_months(at=at) == 2  # the running month and the last
    CostDay.objects.create(
        day=date(2026, 4, 7), source="accrued", computed_at=datetime(2100, 1, 1, tzinfo=UTC)
    )
    assert compute_margin_months(at=at) == 3
    sold("shop")
    cost_of("1.00")

    def stored() -> list[object]:
        compute_margin_month(APRIL)
        costs = MarginCost.objects.values_list("amount", "part", "kind")
        return [*costs, *MarginRevenue.objects.values_list("amount_cents", "lines")]

    assert stored() == stored()
    assert len(stored()) == 2
    assert MarginMonth.objects.count() == 14


def test_both_sides_of_a_month_have_their_lines() -> None:
    a_rate("0.65")
    a_plan("studio", dns_zones=5)
    shop = sold("shop").deployment
    used(shop, "dns_zones", 7)
    cost_of("20.00", shop)
    cost_of("4.00", shop, kind="volume")
    margin()
    lines = read_month_lines(shop.pk, APRIL)
    (revenue,) = lines.revenues
    shown = [(line["type"], line["code"], line["amount_cents"], line["used"]) for line in revenue.lines]
    assert shown == [("base_fee", "studio", 5000, None), ("usage", "dns_zones", 200, "7.000000")]
    assert sum(line["amount_cents"] for line in revenue.lines) == revenue.amount_cents
    assert [(row.kind, row.source, f"{row.amount:.2f}") for row in lines.costs] == [
        ("droplet", "billed", "20.00"),
        ("volume", "billed", "4.00"),
    ]
    assert lines.cost == margin().total.cost


def test_months_are_charted_with_a_gap_where_a_rate_is_missing() -> None:
    shop = sold("shop").deployment
    cost_of("20.00", shop)
    compute_margin_month(APRIL)
    months = list_months_of_deployment(shop.pk, at=LATER)
    (april,) = (each for each in months if each.month == APRIL)
    assert (april.revenue, april.cost, april.margin) == (None, Decimal(20), None)
    assert "from AUD to USD on 2026-04-30" in april.missing
    assert [each.month for each in months if each.is_stored] == [APRIL]
    a_rate("0.65")
    (plan,) = list_months_by_plan(at=LATER).items()
    assert plan[0] == "studio"
    assert [each.margin for each in plan[1] if each.cost] == [Decimal("12.5")]
    assert len(plan[1]) == len(months) == 12


def test_quotes_of_the_fleet_are_those_of_each_deployment_and_ask_as_many_queries_for_twenty() -> None:
    a_plan("studio", dns_zones=5)
    a_plan("pro", 12000, dns_zones=5)

    def some(first: int, last: int) -> None:
        for number in range(first, last):
            subscription = sold(f"app-{number}", day=1 + number % 3)
            used(subscription.deployment, "dns_zones", number, day=5)
            used(subscription.deployment, "dns_zones", 1, day=25)
            if number % 2:
                change_plan_version(
                    deployment_pk=subscription.deployment_id,
                    plan_code="pro",
                    when=ChangeTime.NOW,
                    actor="a test",
                    at=datetime(2026, 4, 15, tzinfo=UTC),
                )

    def quoted() -> tuple[dict[int, Quote], int]:
        with CaptureQueriesContext(connection) as captured:
            found = {each.subscription.deployment_id: each.quote for each in quote_fleet(APRIL)}
        return found, len(captured)

    some(0, 2)
    _, few = quoted()
    some(2, 22)
    found, many = quoted()

    assert many == few
    assert len(found) == 22
    for deployment, quote in found.items():
        assert quote == quote_month(deployment, APRIL, at=LATER).quote
    assert list(quote_fleet(month_of(date(2026, 3, 1)))) == []


def test_a_month_counts_for_the_last_version_that_it_had() -> None:
    a_rate("1")
    a_plan("pro", 12000)
    shop = sold("shop").deployment
    change_plan_version(
        deployment_pk=shop.pk,
        plan_code="pro",
        when=ChangeTime.NOW,
        actor="a test",
        at=datetime(2026, 4, 15, tzinfo=UTC),
    )
    cost_of("10.00", shop)
    assert figures_of(margin(MarginBy.PLAN)) == {"pro v1": ("120.00", "10.00", "110.00")}


AMOUNT = st.decimals("-999", "999", places=10)


@given(amount=AMOUNT, weights=st.lists(st.decimals("0", "99", places=10), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_the_parts_of_an_amount_sum_to_it_and_none_is_a_unit_off(
    amount: Decimal, weights: list[Decimal]
) -> None:
    if not any(weights):
        with pytest.raises(ValueError, match="above 0"):
            spread_amount(amount, weights)
        return
    parts = spread_amount(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / sum(weights)) <= Decimal("1.000001e-10")


COSTS = st.lists(
    st.tuples(
        AMOUNT,
        st.sampled_from([None, "acme", "globex"]),
        st.booleans(),
        st.sampled_from(["matched", "unmatched", "tax", "adjustments"]),
    ),
    max_size=8,
)


@given(
    costs=COSTS, earns=st.lists(st.integers(0, 99_999), max_size=3), rate=st.decimals("0.01", "9", places=6)
)
@settings(max_examples=20, deadline=None)
def test_whatever_was_spent_and_earned_every_report_sums_to_it(
    costs: list[tuple[Decimal, str | None, bool, str]], earns: list[int], rate: Decimal
) -> None:
    with rolled_back():
        a_rate(f"{rate:f}")
        for number, cents in enumerate(earns):
            sold(f"app-{number}", plan=f"plan-{number}", cents=cents)
        for number, (amount, tenant, is_deployments, part) in enumerate(costs):
            whose = None
            if tenant and is_deployments:
                whose = Deployment.objects.get_or_create(tenant_id=tenant, slug="app-0")[0]
            cost_of(f"{amount:f}", whose, tenant_id=tenant, part=part, kind=f"kind-{number}")
        totals = set()
        for by, spread in CUTS:
            total = margin(by, spread).total
            totals.add((total.revenue, total.cost + total.shared, total.margin))
        spent = sum((amount for amount, *_ in costs), Decimal(0))
        earned = rate * sum(earns) / 100
        assert totals == {(earned, spent, earned - spent)}
