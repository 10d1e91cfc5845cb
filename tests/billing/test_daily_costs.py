"""Costs by day: invoices over their lines' hours, and spans at the provider's list prices."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import Period, month_of
from billing.costs.days import compute_due_days, make_days_due, plan_days
from billing.matching import rematch
from billing.models import CostDay, DailyCost, ProviderInvoice, ProviderPrice
from billing.queries import CostSource, Dimension, break_down_costs, sum_days, unpriced_resources
from deployments.models import Deployment
from tests.billing.csv_files import FIRST, a_line
from tests.billing.rows import APRIL, a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 2, 3, 10, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
BIRTH = datetime(2025, 1, 1, tzinfo=UTC)


def a_price(kind: str = "droplet", price: str = "24.00", **fields: Any) -> ProviderPrice:
    plain = {"monthly_cap": Decimal(price), "source": "a test", "read_on": date(2026, 1, 1)}
    return ProviderPrice.objects.create(kind=kind, price=Decimal(price), **{**plain, **fields})


def bill(*lines: Any, amount: str) -> ProviderInvoice:
    invoice = an_invoice(amount=amount, ingest_status="ingested")
    store_lines(lines, invoice=invoice)
    return invoice


def compute(source: CostSource, month: date = APRIL) -> None:
    """Compute a month's days by one source."""
    CostDay.objects.bulk_create(
        (CostDay(day=day, source=source) for day in month_of(month)), ignore_conflicts=True
    )
    make_days_due(source, month_of(month))
    compute_due_days()


def by_tenant(source: CostSource = CostSource.ACCRUED, **days: Any) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = {}
    for row in DailyCost.objects.filter(source=source, **days):
        sums[row.tenant_id] = sums.get(row.tenant_id, Decimal(0)) + row.amount
    return sums


def cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')):f}"


@pytest.mark.parametrize(
    ("hours", "cost"),
    [(671, "23.96"), (672, "24.00"), (673, "24.00"), (720, "24.00"), (1, "0.04"), (336, "12.00")],
)
def test_a_month_costs_its_hours_of_672_and_no_more_than_the_monthly_price(hours: int, cost: str) -> None:
    a_price()
    give_spans(a_resource(), [(FIRST, FIRST + timedelta(hours=hours), {"active": False})])
    compute(CostSource.ACCRUED)
    assert cents(by_tenant()[None]) == cost


def test_a_month_of_31_days_running_throughout_costs_the_monthly_price() -> None:
    a_price()
    give_spans(a_resource(), [(BIRTH, None, {"tenant_id": "acme"})])
    compute(CostSource.ACCRUED, date(2026, 5, 1))
    assert cents(by_tenant()["acme"]) == "24.00"
    assert len({row.amount for row in DailyCost.objects.all()}) == 1, "and every day the same"


def test_a_month_of_two_owners_costs_the_monthly_price_once() -> None:
    a_price()
    noon = datetime(2026, 5, 15, 12, tzinfo=UTC)
    give_spans(a_resource(), [(BIRTH, noon, {"tenant_id": "a"}), (noon, None, {"tenant_id": "b"})])
    compute(CostSource.ACCRUED, date(2026, 5, 1))
    assert {tenant: cents(cost) for tenant, cost in by_tenant().items()} == {"a": "11.23", "b": "12.77"}
    on_the_15th = by_tenant(day=noon.date())
    assert on_the_15th["a"] == on_the_15th["b"]


def test_a_droplet_resized_at_noon_has_two_parts_of_the_day() -> None:
    a_price(sku="small", price="6.72")
    a_price(sku="large", price="67.20")
    noon = datetime(2026, 4, 15, 12, tzinfo=UTC)
    give_spans(a_resource(), [(BIRTH, noon, {"sku": "small"}), (noon, None, {"sku": "large"})])
    compute(CostSource.ACCRUED)
    day = DailyCost.objects.get(day=noon.date())
    assert day.amount == Decimal("1.32")  # 12 h of a cent, 12 of ten
    assert (day.resources, day.unpriced) == (1, 0), "one resource, of two spans"
    assert DailyCost.objects.get(day=noon.date() + timedelta(days=1)).amount == Decimal("2.40")


def test_sizes_nodes_and_regions_have_their_prices() -> None:
    a_price("volume", "0.10", unit="gib_month")
    a_price("database", "15.00", sku="db-small")
    a_price("droplet", "24.00", sku="s")
    a_price("droplet", "48.00", sku="s", region="syd1")
    give_spans(a_resource("data", kind="volume"), [(BIRTH, None, {"size_gb": 100})])
    give_spans(a_resource("main", kind="database"), [(BIRTH, None, {"sku": "db-small x3"})])
    give_spans(a_resource("web", region="fra1"), [(BIRTH, None, {"sku": "s", "tenant_id": "fra"})])
    give_spans(a_resource("web", region="syd1"), [(BIRTH, None, {"sku": "s", "tenant_id": "syd"})])
    compute(CostSource.ACCRUED)
    cost: dict[Any, Decimal] = {}
    for row in DailyCost.objects.all():
        cost[row.kind, row.tenant_id] = cost.get((row.kind, row.tenant_id), Decimal(0)) + row.amount
    assert {subject: cents(amount) for subject, amount in cost.items()} == {
        ("volume", None): "10.00",
        ("database", None): "45.00",
        ("droplet", "fra"): "24.00",
        ("droplet", "syd"): "48.00",
    }


def test_what_has_no_price_is_counted_and_listed() -> None:
    a_price(sku="s")
    give_spans(a_resource("odd", region="fra1"), [(BIRTH, None, {"sku": "new-size"})])
    give_spans(a_resource("web"), [(BIRTH, None, {"sku": "s"})])
    compute(CostSource.ACCRUED)
    day = DailyCost.objects.get(day=APRIL)
    assert (day.resources, day.unpriced, cents(day.amount)) == (2, 1, "0.80")
    (listed,) = unpriced_resources(day=APRIL)
    assert (listed.kind, listed.sku, listed.region, listed.count, listed.name) == (
        "droplet", "new-size", "fra1", 1, "odd",
    )  # fmt: skip


def test_a_size_that_is_not_known_has_no_price_and_is_not_free() -> None:
    a_price("volume", "6.72", unit="gib_month", monthly_cap=None)
    give_spans(a_resource("new", kind="volume"), [(BIRTH, None, {"size_gb": None})])
    give_spans(a_resource("data", kind="volume"), [(BIRTH, None, {"size_gb": 10})])
    compute(CostSource.ACCRUED)
    day = DailyCost.objects.get(day=APRIL)
    assert (day.resources, day.unpriced, cents(day.amount)) == (2, 1, "2.40")
    (listed,) = unpriced_resources(day=APRIL)
    assert (listed.kind, listed.count, listed.name) == ("volume", 1, "new")


def test_a_price_counts_from_its_day_on() -> None:
    a_price(price="6.72", effective_to=date(2026, 4, 11), monthly_cap=None)
    a_price(price="67.20", effective_from=date(2026, 4, 11), monthly_cap=None)
    give_spans(a_resource(), [(BIRTH, None, {})])
    compute(CostSource.ACCRUED)
    amounts = DailyCost.objects.order_by("day").values_list("amount", flat=True)
    assert [f"{amount.normalize():f}" for amount in amounts] == ["0.24"] * 10 + ["2.4"] * 20


def test_a_closed_months_days_sum_to_the_invoice_with_tax_and_adjustments_as_rows_of_their_own() -> None:
    shop = Deployment.objects.create(tenant_id="a", slug="shop")
    noon = datetime(2026, 4, 15, 12, tzinfo=UTC)
    give_spans(
        a_resource(),
        [(BIRTH, noon, {"tenant_id": "a", "deployment": shop}), (noon, None, {"tenant_id": "b"})],
    )
    bill(
        a_line(1, amount="24.00"),
        a_line(2, "gone (s)", "7.01"),
        a_line(3, "GST (10%)", "0.77", product="Taxes"),
        a_line(4, "web-01 (s)", "0.013", started_at=BIRTH, ended_at=BIRTH),  # of another month
        amount="30.00",
    )
    compute(CostSource.BILLED)
    rows = DailyCost.objects.all()
    assert sum(row.amount for row in rows) == Decimal("30.00")
    cut = break_down_costs(period=APRIL, by=Dimension.TENANT, limit=10)
    by_part: dict[Any, Decimal] = {}
    for row in rows:
        subject = (row.part, row.tenant_id)
        by_part[subject] = by_part.get(subject, Decimal(0)) + row.amount
    assert by_part == {(row.group, row.key): row.amount for row in cut.rows}
    assert {row.tenant_id for row in rows.filter(day=noon.date(), part="matched")} == {"a", "b"}
    assert not rows.filter(tenant_id="b", day__lt=noon.date()).exists()
    assert set(rows.filter(tenant_id="a").values_list("deployment", flat=True)) == {shop.pk}


def test_a_month_without_its_last_invoice_is_not_billed_yet() -> None:
    give_spans(a_resource(), [(BIRTH, None, {})])
    store_lines([a_line(1)], invoice=an_invoice("preview", is_preview=True, issued_on=None))
    compute(CostSource.BILLED)
    assert not DailyCost.objects.exists()


def snapshot() -> list[tuple[Any, ...]]:
    return list(
        DailyCost.objects.order_by("day", "source", "part", "kind", "tenant_id").values_list(
            "day", "source", "part", "kind", "tenant_id", "amount", "resources", "unpriced"
        )
    )


def test_a_second_run_changes_nothing_and_a_new_ingest_or_match_has_its_month_computed_again() -> None:
    a_price()
    invoice = bill(a_line(1, amount="6.00"), amount="6.00")
    compute(CostSource.BILLED)
    assert {row.part for row in DailyCost.objects.all()} == {"unmatched"}
    first = snapshot()
    compute(CostSource.BILLED)
    assert snapshot() == first

    give_spans(a_resource(), [(BIRTH, None, {"tenant_id": "acme"})])
    assert not CostDay.objects.filter(computed_at=None).exists()
    assert rematch() == 1
    assert CostDay.objects.filter(computed_at=None).count() == 30
    assert compute_due_days().days == 30
    assert {row.tenant_id for row in DailyCost.objects.all()} == {"acme"}

    ProviderInvoice.objects.filter(pk=invoice.pk).update(amount=Decimal("9.00"))
    store_lines([a_line(1, amount="9.00")], invoice=invoice)
    assert compute_due_days().days == 30
    assert by_tenant(CostSource.BILLED) == {"acme": Decimal("9.00")}


def test_the_first_run_fills_in_fourteen_months_newest_first_and_the_next_the_last_two() -> None:
    a_price()
    give_spans(a_resource(), [(datetime(2025, 4, 1, tzinfo=UTC), None, {})])
    reported: list[tuple[int, int]] = []
    first_day, today = date(2025, 3, 1), AT.date()
    days = (today - first_day).days
    assert plan_days(at=AT) == 2 * days
    compute_due_days(report=lambda done, total: reported.append((done, total)))
    assert reported[-1] == (2 * days, 2 * days)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert DailyCost.objects.earliest("day").day == date(2025, 4, 1)
    order = (
        CostDay.objects.filter(source="accrued").order_by("computed_at", "-pk").values_list("day", flat=True)
    )
    assert all(left >= right for left, right in pairwise(order))
    assert plan_days(at=AT + timedelta(days=1)) == 2 * 32


def test_the_best_source_of_each_day_is_shown() -> None:
    a_price()
    give_spans(a_resource(), [(BIRTH, None, {"tenant_id": "acme"})])
    bill(a_line(1, amount="30.00"), amount="30.00")
    compute(CostSource.BILLED)
    compute(CostSource.ACCRUED)
    compute(CostSource.ACCRUED, MAY.date())
    period = Period(date(2026, 4, 30), date(2026, 5, 2))
    shown = [
        (each.day, each.source, each.key, cents(each.amount))
        for each in sum_days(days=period, by=Dimension.TENANT)
    ]
    assert shown == [
        (date(2026, 4, 30), "billed", "acme", "1.00"),
        (date(2026, 5, 1), "accrued", "acme", "0.77"),
    ]
    (accrued,) = sum_days(days=Period(APRIL, date(2026, 4, 2)), by=Dimension.KIND, source=CostSource.ACCRUED)
    assert (accrued.key, cents(accrued.amount), accrued.resources) == ("droplet", "0.80", 1)


LIFE = st.lists(
    st.tuples(st.integers(1, 20 * 24 * 60), st.sampled_from([None, "a", "b"]), st.booleans()), max_size=5
)


@given(
    life=LIFE,
    amount=st.decimals("-99", "99", places=3).filter(bool),
    start=st.integers(0, 29 * 24),
    hours=st.integers(0, 900),
)
@settings(max_examples=25, deadline=None)
def test_whatever_the_owners_the_days_of_each_sum_to_its_part_of_the_invoice(
    life: list[tuple[int, str | None, bool]], amount: Decimal, start: int, hours: int
) -> None:
    with transaction.atomic():
        since, stretches = FIRST - timedelta(days=5), []
        for length, owner, is_gap in life:
            until = since + timedelta(minutes=length)
            if not is_gap:
                stretches.append((since, until, {"tenant_id": owner}))
            since = until
        give_spans(a_resource(tenant_id="now"), stretches)
        started = FIRST + timedelta(hours=start)
        line = a_line(1, amount=f"{amount:f}", started_at=started, ended_at=started + timedelta(hours=hours))
        bill(line, amount=f"{amount:f}")
        compute(CostSource.BILLED)
        whole = break_down_costs(period=APRIL, by=Dimension.TENANT, limit=10)
        assert by_tenant(CostSource.BILLED) == {row.key: row.amount for row in whole.rows}
        transaction.set_rollback(True)


@pytest.mark.parametrize("source", [CostSource.ACCRUED, CostSource.BILLED])
def test_a_month_of_many_resources_asks_as_many_queries_as_of_one(source: CostSource) -> None:
    """Costs of each day are set-based: no statement and no memory for each resource, owner or line."""
    a_price()
    invoice = an_invoice(amount="0.00", ingest_status="ingested")

    def queries(resources: int) -> int:
        for number in range(resources):
            owned = {"tenant_id": f"tenant-{number}"}
            give_spans(a_resource(f"{resources}-{number}"), [(FIRST, None, owned)])
        lines = [a_line(resources + number, f"web-{number}") for number in range(resources)]
        store_lines(lines, invoice=invoice)
        with CaptureQueriesContext(connection) as captured:
            compute(source)
        return len(captured)

    assert queries(1) == queries(25)
