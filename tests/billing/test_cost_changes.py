"""Changes of the past have their days computed again, in whatever order they become known."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import Period, month_of
from billing.costs.changes import make_changed_days_due
from billing.costs.days import compute_due_days, plan_days
from billing.models import CostDay, CostLine, DailyCost, ProviderInvoice, ProviderPrice, SpanCostChange
from billing.queries import Dimension, sum_days
from deployments.models import Deployment
from inventory.models import Resource, ResourceSpan
from metering.catch_up import meter_due
from metering.models import UsageRecord
from metering.services import meter_day
from tests.billing.csv_files import FIRST, a_line
from tests.billing.rows import APRIL, a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 20, 3, 10, tzinfo=UTC)
FIRST_DAY = date(2025, 7, 1)
BIRTH = datetime(2025, 1, 1, tzinfo=UTC)
NOVEMBER = date(2025, 11, 1)


def a_price(kind: str = "droplet", price: str = "24.00", **fields: Any) -> None:
    plain = {"monthly_cap": Decimal(price), "source": "a test", "read_on": date(2026, 1, 1)}
    ProviderPrice.objects.create(kind=kind, price=Decimal(price), **{**plain, **fields})


def bill_november(amount: str = "24.00") -> None:
    invoice = an_invoice(
        "november", amount, period=NOVEMBER, issued_on=date(2025, 12, 1), ingest_status="ingested"
    )
    period = month_of(NOVEMBER)
    store_lines(
        [a_line(1, amount=amount, started_at=period.starts_at, ended_at=period.ends_at)], invoice=invoice
    )


def begin_days(newest: date) -> None:
    """Have a day computed before, so that the first run begins with the month before it."""
    CostDay.objects.create(day=newest, source="accrued")


def run_costs(*, at: datetime) -> None:
    """Run as the nightly task does, without its lease, which needs connections of its own."""
    plan_days(at=at)
    compute_due_days()


def due(source: str) -> list[date]:
    found = CostDay.objects.filter(source=source, computed_at=None).order_by("day")
    return list(found.values_list("day", flat=True))


def snapshot() -> list[tuple[Any, ...]]:
    names = ("day", "source", "part", "kind", "tenant_id", "deployment", "amount", "resources", "unpriced")
    return sorted(DailyCost.objects.values_list(*names), key=str)


@pytest.fixture
def web() -> Resource:
    """A droplet since January 2025, unattributed, its November billed, and the days since July computed."""
    a_price()
    begin_days(date(2025, 8, 31))
    found = a_resource("web-01")
    give_spans(found, [(BIRTH, None, {})])
    bill_november()
    run_costs(at=AT)
    assert not SpanCostChange.objects.exists()
    return found


def test_a_first_owner_found_out_late_has_every_day_of_the_resource_computed_again(web: Resource) -> None:
    ResourceSpan.objects.filter(resource=web).update(tenant_id="acme")
    assert make_changed_days_due() > 0
    assert due("accrued") == [*Period(FIRST_DAY, AT.date())]
    assert due("billed") == [*month_of(NOVEMBER)], "the one month that has a line of it"
    run_costs(at=AT)
    assert set(DailyCost.objects.values_list("tenant_id", flat=True)) == {"acme"}
    assert not SpanCostChange.objects.exists()


def test_a_tombstone_found_out_late_has_the_days_since_its_months_first_computed_again(web: Resource) -> None:
    gone = datetime(2025, 9, 10, tzinfo=UTC)
    ResourceSpan.objects.filter(resource=web).update(during=(BIRTH, gone))
    make_changed_days_due()
    assert due("accrued")[0] == date(2025, 9, 1), "its month's cap counts other hours"
    run_costs(at=AT)
    accrued = DailyCost.objects.filter(source="accrued")
    assert accrued.latest("day").day == date(2025, 9, 9)
    september = accrued.filter(day__gte=date(2025, 9, 1))
    assert f"{sum(row.amount for row in september):.2f}" == "7.71"  # 216 hours of 672


def test_an_owner_of_some_days_has_those_months_alone_computed_again(web: Resource) -> None:
    start, end = datetime(2025, 11, 11, tzinfo=UTC), datetime(2025, 11, 21, tzinfo=UTC)
    ResourceSpan.objects.filter(resource=web).update(during=(BIRTH, start))
    give_spans(web, [(start, end, {"tenant_id": "b"}), (end, None, {})])
    SpanCostChange.objects.exclude(until=end).delete()  # that of the new owner's span alone
    make_changed_days_due()
    assert due("accrued") == due("billed") == [*month_of(NOVEMBER)]
    run_costs(at=AT)
    of_b = DailyCost.objects.filter(source="billed", tenant_id="b")
    assert sum(row.amount for row in of_b) == Decimal("8.00")  # a third of the month's hours


def test_what_changes_since_the_newest_days_month_is_not_recorded_for_the_next_run_computes_it_anyhow(
    web: Resource,
) -> None:
    changed = datetime(2026, 2, 4, tzinfo=UTC)
    ResourceSpan.objects.filter(resource=web).update(during=(BIRTH, changed))
    give_spans(web, [(changed, None, {"tenant_id": "acme"})])
    assert not SpanCostChange.objects.exists()
    run_costs(at=AT)
    assert DailyCost.objects.get(day=changed.date(), source="accrued").tenant_id == "acme"
    ResourceSpan.objects.filter(resource=web).update(active=False)
    assert not SpanCostChange.objects.exists(), "switched off it costs the same"


def test_after_a_pause_of_months_the_days_between_are_computed_and_those_before_again(web: Resource) -> None:
    later = datetime(2026, 5, 3, tzinfo=UTC)
    plan_days(at=later)
    assert due("accrued") == [*Period(date(2026, 1, 1), later.date())]


def test_a_second_run_changes_nothing(web: Resource) -> None:
    before = snapshot()
    run_costs(at=AT)
    assert snapshot() == before


ORDERS = list(permutations(("ingest", "meter", "reattribute")))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_order_of_ingest_metering_and_reattribution_does_not_matter_to_the_end_state(
    order: tuple[str, ...],
) -> None:
    a_price()
    shop = Deployment.objects.create(tenant_id="a", slug="shop")
    crm = Deployment.objects.create(tenant_id="b", slug="crm")
    web = a_resource("web-01", tenant_id="a", deployment=shop)
    give_spans(web, [(BIRTH, None, {"tenant_id": "a", "deployment": shop})])
    noon = datetime(2025, 11, 15, 12, tzinfo=UTC)

    def reattribute() -> None:
        ResourceSpan.objects.filter(resource=web).update(during=(BIRTH, noon))
        give_spans(web, [(noon, None, {"tenant_id": "b", "deployment": crm})])

    def meter() -> None:
        for day in (14, 15, 16):
            meter_day(date(2025, 11, day), at=AT)

    steps = {"ingest": bill_november, "meter": meter, "reattribute": reattribute}
    begin_days(date(2025, 9, 30))
    run_costs(at=AT)
    for step in order:
        steps[step]()
        run_costs(at=AT)
    meter_due(at=datetime(2025, 11, 17, 1, tzinfo=UTC))
    billed = DailyCost.objects.filter(source="billed")
    parts = {tenant: sum(row.amount for row in billed.filter(tenant_id=tenant)) for tenant in ("a", "b")}
    assert parts == {"a": Decimal("11.60"), "b": Decimal("12.40")}
    accrued = DailyCost.objects.filter(source="accrued", day=noon.date())
    assert {row.tenant_id: row.amount for row in accrued} == {"a": Decimal("0.40"), "b": Decimal("0.40")}
    hours = UsageRecord.objects.filter(deployment__isnull=False).values_list(
        "deployment__slug", "period_start", "qty"
    )
    assert {(slug, start.day): qty for slug, start, qty in hours} == {
        ("shop", 14): 24, ("shop", 15): 12, ("crm", 15): 12, ("crm", 16): 24,
    }  # fmt: skip


STEP = st.tuples(
    st.integers(1, 60 * 24 * 60),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from(["s", "l"]),
    st.booleans(),
)
LIFE = st.lists(STEP, min_size=1, max_size=6)


def _stretch(
    life: list[tuple[int, str | None, str, bool]],
) -> list[tuple[datetime, datetime, dict[str, Any]]]:
    since, found = FIRST - timedelta(days=40), []
    for minutes, owner, sku, is_gone in life:
        until = since + timedelta(minutes=minutes)
        if not is_gone:
            found.append((since, until, {"tenant_id": owner, "sku": sku}))
        since = until
    return found


@given(life=LIFE, known=st.integers(0, 6), amount=st.decimals("0.01", "99", places=2))
@settings(max_examples=12, deadline=None)
def test_whatever_owners_sizes_and_deletions_become_known_when_the_end_state_is_the_same(
    life: list[tuple[int, str | None, str, bool]], known: int, amount: Decimal
) -> None:
    with transaction.atomic():
        a_price(sku="s")
        a_price(sku="l", price="48.00")
        web = a_resource("web-01", tenant_id="now")
        stretches = _stretch(life)
        at = datetime(2026, 6, 2, tzinfo=UTC)
        begin_days(date(2026, 3, 31))
        give_spans(web, stretches[:known])
        invoice = an_invoice(amount=f"{amount:f}", ingest_status="ingested")
        store_lines([a_line(1, amount=f"{amount:f}")], invoice=invoice)
        run_costs(at=at)
        give_spans(web, stretches[known:])
        run_costs(at=at)
        late = snapshot()
        # Whatever was known when, the parts sum to the line, and each day of any split is in one part of it.
        billed = sum(row.amount for row in DailyCost.objects.filter(source="billed"))
        assert billed == amount == ProviderInvoice.objects.get().amount
        april = month_of(APRIL)
        for by in (Dimension.TENANT, Dimension.KIND):
            whole = sum(each.amount for each in sum_days(days=april, by=by))
            halves = april.split(date(2026, 4, 11), date(2026, 4, 23))
            assert sum(each.amount for half in halves for each in sum_days(days=half, by=by)) == whole
        DailyCost.objects.all().delete()
        CostDay.objects.all().delete()
        SpanCostChange.objects.all().delete()
        begin_days(date(2026, 3, 31))
        run_costs(at=at)
        assert snapshot() == late
        # A span that is cut in two, both of one owner and size, changes nothing.
        for span in ResourceSpan.objects.filter(resource=web):
            middle = span.during.lower + (span.during.upper - span.during.lower) / 2
            upper = span.during.upper
            span.during = (span.during.lower, middle)
            span.save()
            give_spans(web, [(middle, upper, {"tenant_id": span.tenant_id, "sku": span.sku})])
        run_costs(at=at)
        assert snapshot() == late
        assert CostLine.objects.count() == 1
        transaction.set_rollback(True)
