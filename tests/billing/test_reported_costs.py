"""Costs as the provider reports them by day: read where the token may, attributed to that day's owners."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from arcadia_cloud.digitalocean.errors import ProviderForbidden
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.main_job.pipeline import run_reported_costs
from billing.classification import kind_of_point, name_of
from billing.costs import reported
from billing.costs.days import compute_due_days, plan_days
from billing.models import CostDay, DailyCost, ReportedItem
from billing.queries import CostSource, Dimension, sum_days
from billing.services import read_reported_costs
from inventory.models import Resource, ResourceSpan
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.billing.rows import a_resource
from tests.billing.spans import give_spans
from tests.simulated import Simulated

AT = datetime(2026, 5, 10, 2, 55, tzinfo=UTC)
TODAY = AT.date()
FIRST_DAY = date(2025, 3, 1)
BIRTH = datetime(2025, 1, 1, tzinfo=UTC)
INSIGHTS = "/v2/billing/"
DAY = date(2026, 4, 15)


@pytest.mark.parametrize(
    ("sku", "group", "description", "kind", "name"),
    [
        ("1-DO-DROP-0109", "", "web-1 (c-2-4GiB)", "droplet", "web-1"),
        ("1-DO-DROP-0109", "", "web-1 (Weekly Backup Services)", "droplet_backup", "web-1"),
        ("1-KS-K8SWN-00109", "prod", "3 nodes - 4 GB / 2 vCPU / 80 GB SSD", "kubernetes_cluster", "prod"),
        ("", "", "data-01 (fra1) 100GB", "volume", "data-01"),
        ("", "", "Unused Floating IP - 192.0.2.1", "reserved_ip", "192.0.2.1"),
        ("", "HTTP Load Balancers", "edge", "load_balancer", "edge"),
        ("", "", "Container Registry (basic)", "registry", "Container Registry"),
        ("9-NEW", "", "what nobody has seen", "other", "what nobody has seen"),
    ],
)
def test_a_points_kind_and_name_are_read_from_its_sku_and_texts(
    sku: str, group: str, description: str, kind: str, name: str
) -> None:
    assert kind_of_point(sku, group, description) == kind
    assert name_of(kind, group, description) == name


def run_costs(*, at: datetime) -> None:
    """Run as the nightly task does, without its lease, which needs connections of its own."""
    plan_days(at=at)
    compute_due_days()


def sum_reported(day: date) -> Decimal:
    found: Decimal | None = DailyCost.objects.filter(source="reported", day=day).aggregate(s=Sum("amount"))[
        "s"
    ]
    return found or Decimal(0)


@pytest.mark.django_db(transaction=True)
def test_fourteen_months_are_read_first_and_then_the_days_that_may_still_change(years: Simulated) -> None:
    sync_inventory(mode=RunMode.FULL, actor="a test")
    read = read_reported_costs(at=AT)
    assert (read.days, read.refusal) == ((TODAY - FIRST_DAY).days, "")
    assert read.items == ReportedItem.objects.count() > 1000
    assert len(years.requests(path=INSIGHTS)) >= 15, "a month at a time"
    compute_due_days()
    whole = ReportedItem.objects.filter(day=DAY).aggregate(s=Sum("amount"))["s"]
    assert sum_reported(DAY) == whole > 0
    found = DailyCost.objects.filter(source="reported", day=DAY, part="matched")
    assert found.filter(kind="droplet", tenant_id="acme").get().amount > 0
    assert {row.kind for row in found} >= {"droplet", "volume", "kubernetes_cluster"}

    again = read_reported_costs(at=AT)
    assert again.days == 3
    assert ReportedItem.objects.count() == read.items
    due = CostDay.objects.filter(source="reported", computed_at=None).order_by("day")
    assert [each.day.day for each in due] == [7, 8, 9]


@pytest.mark.django_db(transaction=True)
def test_a_window_with_more_than_may_be_held_is_read_in_halves(
    years: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_reported_costs(at=datetime(2026, 5, 10, tzinfo=UTC))
    items = list(ReportedItem.objects.order_by("day", "number").values_list("day", "description", "amount"))
    ReportedItem.objects.all().delete()
    CostDay.objects.all().delete()
    monkeypatch.setattr(reported, "_MOST_POINTS", 300)
    assert read_reported_costs(at=datetime(2026, 5, 10, tzinfo=UTC)) == whole
    halves = ReportedItem.objects.order_by("day", "number").values_list("day", "description", "amount")
    assert list(halves) == items


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["forbidden", "missing"])
def test_a_token_that_may_not_read_them_leaves_the_source_without_days_and_says_so(
    years: Simulated, fault: str
) -> None:
    years.fault(kind=fault, path=INSIGHTS, count=100)
    read = read_reported_costs(at=AT)
    assert (read.days, read.items) == (0, 0)
    assert ("403" if fault == "forbidden" else "404") in read.refusal
    assert not CostDay.objects.exists()
    (stage,) = run_reported_costs(lambda _text: None)
    assert (stage.status, stage.counts["days"], stage.counts["refused"]) == ("ok", 0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_token_that_is_wrong_is_an_error(years: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "f" * 64)
    with pytest.raises(ProviderForbidden, match="401"):
        read_reported_costs(at=AT)


def an_item(number: int, name: str, amount: str, *, kind: str = "droplet", day: date = DAY) -> ReportedItem:
    CostDay.objects.get_or_create(day=day, source="reported")
    return ReportedItem.objects.create(
        day=day, number=number, kind=kind, name=name, description=f"{name} (s)", amount=Decimal(amount)
    )


def reported_by_owner() -> dict[tuple[str, str | None], str]:
    rows = DailyCost.objects.filter(source="reported", day=DAY)
    return {(row.part, row.tenant_id): f"{row.amount:.2f}" for row in rows}


@pytest.mark.django_db
def test_an_item_belongs_to_who_owned_its_resource_on_that_day() -> None:
    noon = datetime(2026, 4, 15, 12, tzinfo=UTC)
    give_spans(a_resource("web-01"), [(BIRTH, noon, {"tenant_id": "a"}), (noon, None, {"tenant_id": "b"})])
    give_spans(a_resource("web-02", tenant_id="b"), [(BIRTH, None, {"tenant_id": "c"})])
    for number, (name, amount) in enumerate(
        (("web-01", "0.86"), ("web-02", "1.00"), ("gone", "0.10")), start=1
    ):
        an_item(number, name, amount)
    compute_due_days()
    assert reported_by_owner() == {
        ("matched", "a"): "0.43",
        ("matched", "b"): "0.43",
        ("matched", "c"): "1.00",
        ("unmatched", None): "0.10",
    }


@pytest.mark.django_db
def test_a_resource_that_is_found_later_and_an_owner_that_is_found_later_have_the_day_computed_again() -> (
    None
):
    an_item(1, "web-01", "0.86")
    run_costs(at=AT)
    assert reported_by_owner() == {("unmatched", None): "0.86"}
    web = a_resource("web-01")
    give_spans(web, [(BIRTH, None, {"tenant_id": None})])
    run_costs(at=AT)
    assert reported_by_owner() == {("matched", None): "0.86"}
    Resource.objects.filter(pk=web.pk).update(tenant_id="a")
    ResourceSpan.objects.filter(resource=web).update(tenant_id="a")
    run_costs(at=datetime(2026, 9, 1, tzinfo=UTC))
    assert reported_by_owner() == {("matched", "a"): "0.86"}


@pytest.mark.django_db
def test_the_best_is_billed_else_reported_else_accrued() -> None:
    days = [date(2026, 4, number) for number in (1, 2, 3)]
    sources = {days[0]: CostSource, days[1]: [CostSource.REPORTED, CostSource.ACCRUED], days[2]: ["accrued"]}
    for day, of_day in sources.items():
        for source in of_day:
            DailyCost.objects.create(day=day, source=source, kind="droplet", amount=1, resources=1)
    period = Period(days[0], days[-1] + timedelta(days=1))
    shown = [(each.day.day, each.source) for each in sum_days(days=period, by=Dimension.KIND)]
    assert shown == [(1, "billed"), (2, "reported"), (3, "accrued")]
    (alone,) = sum_days(days=Period(days[0], days[1]), by=Dimension.KIND, source=CostSource.REPORTED)
    assert alone.source == "reported"
