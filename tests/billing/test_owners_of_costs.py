"""Costs belong to who owned the resource in the line's hours, and the parts sum to the line exactly."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import Period, month_of
from billing.api.filters import CostLineFilter
from billing.costs.days import compute_due_days
from billing.models import CostDay, CostLine, ProviderInvoice
from billing.queries import CostSource, Dimension, break_down_costs, sum_days
from billing.services import ingest_invoices, update_history
from deployments.models import Deployment
from inventory.models import Resource, ResourceSpan
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.billing.csv_files import FIRST, LAST, a_line
from tests.billing.rows import APRIL, a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db

NOON_OF_THE_15TH = datetime(2026, 4, 15, 12, tzinfo=UTC)
BIRTH = datetime(2025, 1, 1, tzinfo=UTC)


def costs(by: Dimension = Dimension.TENANT, **fields: Any) -> dict[str, str]:
    rows = break_down_costs(period=APRIL, by=by, limit=1000, **fields).rows
    return {row.name: f"{row.amount.normalize():f}" for row in rows}


def bill(*lines: Any, amount: str = "24.00") -> ProviderInvoice:
    invoice = an_invoice(amount=amount, ingest_status="ingested")
    store_lines(lines or [a_line(1, amount=amount)], invoice=invoice)
    return invoice


def test_a_droplet_that_changed_hands_at_noon_of_the_15th_is_paid_by_both() -> None:
    shop = Deployment.objects.create(tenant_id="a", slug="shop")
    crm = Deployment.objects.create(tenant_id="b", slug="crm")
    web = a_resource("web-01", tenant_id="b", deployment=crm)
    give_spans(
        web,
        [
            (BIRTH, NOON_OF_THE_15TH, {"tenant_id": "a", "deployment": shop}),
            (NOON_OF_THE_15TH, None, {"tenant_id": "b", "deployment": crm}),
        ],
    )
    bill()
    assert costs() == {"a": "11.6", "b": "12.4"}  # 348 and 372 of 720 hours
    assert costs(Dimension.DEPLOYMENT) == {"a/shop": "11.6", "b/crm": "12.4"}
    assert costs(Dimension.RESOURCE) == {"web-01": "24"}


def test_what_is_ours_stays_a_cost_without_a_tenant_by_its_own_name() -> None:
    a_resource("web-01", attributed_by="ours")
    a_resource("web-02")
    bill(a_line(1, amount="24.00"), a_line(2, "web-02 (s-1vcpu-1gb)"), amount="30.00")
    assert costs() == {"ours": "24", "": "6"}
    assert costs(Dimension.RESOURCE) == {"web-01": "24", "web-02": "6"}


def test_an_assignment_today_moves_nothing_of_a_month_that_is_over() -> None:
    web = a_resource("web-01", tenant_id="b")
    give_spans(web, [(BIRTH, LAST, {"tenant_id": "a"}), (LAST, None, {"tenant_id": "b"})])
    bill()
    assert costs() == {"a": "24"}


@pytest.mark.parametrize(
    ("amount", "days", "parts"),
    [
        ("10.00", (10, 10, 10), ("3.34", "3.33", "3.33")),  # the cent that is left is who's first
        ("0.01", (10, 10, 10), ("0.01", "0", "0")),
        ("-10.00", (10, 10, 10), ("-3.34", "-3.33", "-3.33")),
        ("0.005", (10, 20), ("0.002", "0.003")),  # 0.00167 and 0.00333: to the last digit billed
        ("5.00", (1, 29), ("0.17", "4.83")),  # 0.1667 and 4.8333
        ("12", (15, 15), ("6", "6")),
        ("13", (15, 15), ("6.5", "6.5")),
    ],
)
def test_the_largest_remainder_has_what_is_left_over(
    amount: str, days: tuple[int, ...], parts: tuple[str, ...]
) -> None:
    since, stretches = FIRST, []
    for number, length in enumerate(days):
        until = since + timedelta(days=length)
        stretches.append((since, until, {"tenant_id": f"tenant-{number}"}))
        since = until
    give_spans(a_resource(), stretches)
    bill(amount=amount)
    assert costs() == {f"tenant-{number}": part for number, part in enumerate(parts)}


def test_a_gap_belongs_to_who_had_it_before_and_the_time_before_to_the_first_owner() -> None:
    """Found on the 4th, not seen from the 10th to the 20th, gone on the 25th."""
    at = [FIRST + timedelta(days=day) for day in (3, 9, 19, 24)]
    give_spans(a_resource(), [(at[0], at[1], {"tenant_id": "a"}), (at[2], at[3], {"tenant_id": "b"})])
    bill(amount="30.00")
    assert costs() == {"a": "19", "b": "11"}


def test_without_a_span_it_is_the_present_owners_and_without_an_owner_it_is_unattributed() -> None:
    a_resource("web-01", tenant_id="a")
    give_spans(a_resource("web-02", tenant_id="b"), [(BIRTH, None, {})])
    bill(a_line(1, "web-01 (s)", "24.00"), a_line(2, "web-02 (s)", "6.00"), amount="30.00")
    assert costs() == {"a": "24", "": "6"}


def test_a_line_without_a_length_belongs_to_the_owner_at_its_instant() -> None:
    give_spans(
        a_resource(),
        [
            (BIRTH, NOON_OF_THE_15TH, {"tenant_id": "a"}),
            (NOON_OF_THE_15TH, None, {"tenant_id": "b"}),
        ],
    )
    bill(a_line(1, started_at=NOON_OF_THE_15TH, ended_at=NOON_OF_THE_15TH, amount="24.00"))
    assert costs() == {"b": "24"}


def test_a_line_of_two_owners_counts_once_with_each_and_once_beyond_the_limit() -> None:
    give_spans(
        a_resource(),
        [(BIRTH, NOON_OF_THE_15TH, {"tenant_id": "a"}), (NOON_OF_THE_15TH, None, {"tenant_id": "b"})],
    )
    bill()
    assert [(row.name, row.line_count) for row in break_down_costs(
        period=APRIL, by=Dimension.TENANT, limit=10
    ).rows] == [("b", 1), ("a", 1)]  # fmt: skip


def test_the_lines_of_a_deployment_are_those_that_it_has_a_part_of() -> None:
    shop = Deployment.objects.create(tenant_id="a", slug="shop")
    crm = Deployment.objects.create(tenant_id="b", slug="crm")
    give_spans(
        a_resource("web-01", tenant_id="b", deployment=crm),
        [
            (BIRTH, NOON_OF_THE_15TH, {"tenant_id": "a", "deployment": shop}),
            (NOON_OF_THE_15TH, None, {"tenant_id": "b", "deployment": crm}),
        ],
    )
    a_resource("web-02", tenant_id="a", deployment=shop)
    before: dict[str, Any] = {"started_at": BIRTH, "ended_at": BIRTH + timedelta(hours=1)}
    after: dict[str, Any] = {"started_at": NOON_OF_THE_15TH, "ended_at": LAST}
    bill(a_line(1), a_line(2, **before), a_line(3, **after), a_line(4, "web-02 (s)"), amount="24.00")

    def lines_of(deployment: Deployment) -> list[int]:
        query = {"deployment": str(deployment.pk)}
        found = CostLineFilter(query, queryset=CostLine.objects.order_by("line_no")).qs
        return [line.line_no for line in found]

    assert (lines_of(shop), lines_of(crm)) == ([1, 2, 4], [1, 3])


@pytest.mark.django_db(transaction=True)
def test_of_137_months_every_cut_sums_to_the_invoices(years: Simulated) -> None:
    update_history(at=timezone.now(), enqueue=False)
    sync_inventory(mode=RunMode.FULL, actor="a test")
    pks = ProviderInvoice.objects.final().oldest_first()
    assert len([*ingest_invoices(pks)]) == 137
    resources = CostLine.objects.exclude(resource=None).values("resource")
    assert resources.distinct().count() > 5
    ResourceSpan.objects.all().delete()
    # Three owners of each, the hands changing at odd moments; the third has left again, to nobody.
    changes = [
        datetime(year, month, 7, 5, 41, 13, tzinfo=UTC) for year, month in ((2024, 9), (2025, 6), (2026, 1))
    ]
    for resource in Resource.objects.filter(pk__in=resources):
        stretches = zip([None, *changes], [*changes, None], ("a", "b", "c", None), strict=True)
        for since, until, tenant in stretches:
            give_spans(resource, [(since or datetime(2012, 1, 1, tzinfo=UTC), until, {"tenant_id": tenant})])
    period = Period(ProviderInvoice.objects.earliest("period").period, date(2026, 5, 1))
    CostDay.objects.bulk_create((CostDay(day=day, source="billed") for day in period), ignore_conflicts=True)
    CostDay.objects.update(computed_at=None)
    compute_due_days()
    owners = set()
    for invoice in ProviderInvoice.objects.final():
        _assert_days_sum_to(invoice)
        for by in Dimension:
            cut = break_down_costs(period=invoice.period, by=by, limit=1000)
            assert sum(row.amount for row in cut.rows) == cut.total == invoice.amount
            owners |= {row.key for row in cut.rows if by is Dimension.TENANT and row.group == "matched"}
    assert owners == {"a", "b", "c", None}


def _assert_days_sum_to(invoice: ProviderInvoice) -> None:
    """Compare the billed days of a month with its invoice, and by every cut with the month's parts."""
    for by in (Dimension.TENANT, Dimension.DEPLOYMENT, Dimension.KIND):
        days: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        for each in sum_days(days=month_of(invoice.period), by=by, source=CostSource.BILLED):
            days[each.part, None if each.part in {"tax", "adjustments"} else each.key] += each.amount
        assert sum(days.values()) == invoice.amount
        cut = break_down_costs(period=invoice.period, by=by, limit=1000)
        assert days == {(str(row.group), row.key): row.amount for row in cut.rows}


OWNERS = st.sampled_from([None, "a", "b", "c"])
LIFE = st.lists(
    st.tuples(st.integers(1, 40 * 24 * 60), OWNERS, st.booleans(), st.integers(0, 3)), min_size=1, max_size=7
)
AMOUNT = st.decimals("-99", "99", places=4).filter(bool)


def _expected(amount: Decimal, started: datetime, ended: datetime, spans: list[Any]) -> dict[Any, Decimal]:
    """Divide by the rule, instant by instant in minutes, with exact fractions."""
    minutes: dict[Any, int] = defaultdict(int)
    first_at: dict[Any, int] = {}
    for minute in range(int((ended - started).total_seconds()) // 60):
        at = started + timedelta(minutes=minute)
        before = [owner for since, owner in spans if since <= at]
        owner = before[-1] if before else spans[0][1]
        minutes[owner] += 1
        first_at.setdefault(owner, minute)
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    units = abs(amount).scaleb(places)
    exact = {owner: Fraction(int(units)) * count / sum(minutes.values()) for owner, count in minutes.items()}
    parts = {owner: int(share) for owner, share in exact.items()}
    rest = sorted(exact, key=lambda owner: (-(exact[owner] - parts[owner]), first_at[owner]))
    for owner in rest[: int(units) - sum(parts.values())]:
        parts[owner] += 1
    sign = 1 if amount > 0 else -1
    return {owner: sign * Decimal(part).scaleb(-places) for owner, part in parts.items()}


@given(life=LIFE, amount=AMOUNT, start=st.integers(0, 29 * 24), hours=st.integers(1, 72))
@settings(max_examples=40, deadline=None)
def test_whatever_owners_and_sizes_follow_each_other_the_parts_sum_to_the_line(
    life: list[tuple[int, str | None, bool, int]], amount: Decimal, start: int, hours: int
) -> None:
    """`life`: lengths in minutes, owner, whether it is a gap (a tombstone), and a size."""
    with transaction.atomic():
        since, spans, stretches = FIRST - timedelta(days=5), [], []
        for length, owner, is_gap, size in life:
            until = since + timedelta(minutes=length)
            if not is_gap:
                spans.append((since, owner))
                stretches.append((since, until, {"tenant_id": owner, "size_gb": size}))
            since = until
        web = a_resource(tenant_id="now")
        give_spans(web, stretches)
        started = FIRST + timedelta(hours=start)
        ended = started + timedelta(hours=hours)
        bill(a_line(1, amount=f"{amount:f}", started_at=started, ended_at=ended), amount=f"{amount:f}")
        rows = break_down_costs(period=APRIL, by=Dimension.TENANT, limit=1000).rows
        found = {row.key: row.amount for row in rows}
        assert sum(found.values()) == amount
        if spans:
            assert found == _expected(amount, started, ended, spans)
        else:
            assert found == {"now": amount}
        # A span that is cut in two, both of one owner, changes nothing.
        for span in ResourceSpan.objects.filter(resource=web):
            middle = span.during.lower + (span.during.upper - span.during.lower) / 2
            if middle > span.during.lower:
                whole = span.during
                span.during = (whole.lower, middle)
                span.save()
                give_spans(web, [(middle, whole.upper, {"tenant_id": span.tenant_id})])
        again = break_down_costs(period=APRIL, by=Dimension.TENANT, limit=1000).rows
        assert {row.key: row.amount for row in again} == found
        transaction.set_rollback(True)
