"""Cost anomalies: which days are one, what their cause is, and how they end."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.periods import Period
from billing.costs.anomalies.detect import detect
from billing.costs.days import compute_due_days, make_days_due
from billing.models import CostAnomaly, CostDay, DailyCost, ProviderPrice
from billing.services import AnomalyCounts
from billing.values import CostSource
from deployments.models import Deployment
from deployments.services import create_subscription
from inventory.models import Resource, ResourceEvent, SyncRun
from metering.models import UsageRecord
from provisioning.models import SagaRun
from tests.billing.csv_files import a_line
from tests.billing.rows import a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans
from tests.catalog.rows import published, stored_plan

pytestmark = pytest.mark.django_db

BIRTH = datetime(2025, 1, 1, tzinfo=UTC)
TODAY = date(2026, 6, 16)
SINCE = datetime(2026, 6, 13, tzinfo=UTC)
HISTORY = Period(date(2026, 4, 14), date(2026, 7, 14))


def at(today: date = TODAY) -> datetime:
    return datetime(today.year, today.month, today.day, 3, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _read_every_day() -> None:
    """A droplet sync a day that went well, and prices of $60 and $300 a month: $2 and $10 a day."""
    for day in HISTORY:
        a_run(day)
    for sku, price in (("small", "60.00"), ("large", "300.00")):
        a_price(sku, price)


def a_run(day: date, outcome: str = "complete") -> SyncRun:
    began = datetime(day.year, day.month, day.day, 23, 15, tzinfo=UTC)
    return SyncRun.objects.create(
        kind="droplet",
        mode="full",
        outcome=outcome,
        requested_by="a test",
        started_at=began,
        finished_at=began,
    )


def a_price(sku: str, price: str, **fields: Any) -> ProviderPrice:
    plain = {"monthly_cap": Decimal(price), "source": "a test", "read_on": date(2026, 1, 1)}
    return ProviderPrice.objects.create(kind="droplet", sku=sku, price=Decimal(price), **plain, **fields)


def shop() -> Deployment:
    return Deployment.objects.get_or_create(tenant_id="acme", slug="shop")[0]


def a_saga(**fields: Any) -> SagaRun:
    plain: dict[str, Any] = {
        "kind": "resize_droplet",
        "status": "completed",
        "step_modules": [],
        "inputs": {},
    }
    finished = {"started_at": SINCE, "finished_at": SINCE + timedelta(minutes=9)}
    return SagaRun.objects.create(**{**plain, **finished, "requested_by": "user:ops", **fields})


def owned(sku: str, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "tenant_id": "acme", "deployment": shop(), **fields}


def an_event(resource: Resource, event_type: str, source: str, **changes: Any) -> None:
    ResourceEvent.objects.create(
        resource=resource, event_type=event_type, changes=changes, at=SINCE, actor="user:ops", source=source
    )


def accrue() -> None:
    """Compute every day until today from the spans."""
    CostDay.objects.bulk_create(
        (CostDay(day=day, source="accrued") for day in Period(HISTORY.start, TODAY)), ignore_conflicts=True
    )
    make_days_due(CostSource.ACCRUED, HISTORY)
    compute_due_days()


def found() -> CostAnomaly:
    accrue()
    detect(at=at())
    return CostAnomaly.objects.get()


def assert_parts(anomaly: CostAnomaly, *causes: str) -> None:
    """They are these, and sum to the difference exactly."""
    assert [part["cause"] for part in anomaly.parts] == list(causes)
    assert sum(Decimal(part["amount"]) for part in anomaly.parts) == anomaly.amount - anomaly.expected


def test_a_resize_by_a_saga_is_named_with_the_operator_and_the_saga() -> None:
    web = a_resource("web-2", provider_id="4711")
    give_spans(web, [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    saga = a_saga()
    an_event(web, "updated", f"saga:{saga.pk}", size_slug=["small", "large"])
    anomaly = found()
    assert anomaly.cause == (
        "Cost of acme/shop +425 % (+$8.68 a day) since 13 June: droplet web-2 resized small → large by "
        f"ops in saga {saga.pk} (+$8.57); the rest, without an event of ours (+$0.10)."
    )
    assert_parts(anomaly, "resized", "rest")
    assert (anomaly.parts[0]["saga_id"], anomaly.parts[0]["resource_id"]) == (saga.pk, web.pk)
    assert (anomaly.direction, anomaly.status, anomaly.source) == ("up", "open", "accrued")
    alert = Alert.objects.get(code="cost_anomaly", resolved_at=None)
    assert (alert.subject, alert.message) == (f"cost_anomaly:{anomaly.pk}", anomaly.cause)


def test_a_resize_that_a_sync_saw_while_the_saga_was_at_it_is_the_sagas() -> None:
    web = a_resource("web-2", provider_id="4711")
    give_spans(web, [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    saga = a_saga(subjects=["droplet:4711"])
    an_event(web, "updated", "run:1", size_slug=["small", "large"])
    assert f"by ops in saga {saga.pk} (" in found().cause


def test_a_resize_in_the_providers_panel_is_named_with_the_sync_that_saw_it() -> None:
    web = a_resource("web-2")
    give_spans(web, [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    an_event(web, "updated", "run:31", size_slug=["small", "large"])
    anomaly = found()
    assert "droplet web-2 resized small → large at DigitalOcean, seen by sync 31 (+$8.57)" in anomaly.cause
    assert_parts(anomaly, "resized", "rest")


def test_a_resize_at_noon_is_one_anomaly_of_the_whole_difference() -> None:
    noon = SINCE + timedelta(hours=12)
    web = a_resource("web-2")
    give_spans(web, [(BIRTH, noon, owned("small")), (noon, None, owned("large"))])
    an_event(web, "updated", "run:31", size_slug=["small", "large"])
    anomaly = found()
    assert "(+$8.57)" in anomaly.cause
    assert anomaly.status == "open"


def test_a_new_droplet_is_named() -> None:
    give_spans(a_resource("web-1"), [(BIRTH, None, owned("small"))])
    new = a_resource("web-2")
    give_spans(new, [(SINCE, None, owned("large"))])
    saga = a_saga()
    an_event(new, "discovered", f"saga:{saga.pk}")
    anomaly = found()
    assert f"droplet web-2 created by ops in saga {saga.pk} (+$10.71)" in anomaly.cause
    assert_parts(anomaly, "created", "rest")


def test_a_restored_and_a_gone_droplet_are_named() -> None:
    back = a_resource("web-1")
    give_spans(
        back, [(BIRTH, datetime(2026, 5, 1, tzinfo=UTC), owned("large")), (SINCE, None, owned("large"))]
    )
    an_event(back, "restored", "run:31")
    gone = a_resource("db-1")
    give_spans(gone, [(BIRTH, SINCE, {"sku": "large", "tenant_id": "globex"})])
    an_event(gone, "deleted", "run:31")
    accrue()
    detect(at=at())
    restored = CostAnomaly.objects.get(direction="up")
    assert restored.cause.startswith(
        "Cost of acme/shop new (+$10.71 a day) since 13 June: "
        "droplet web-1 restored at DigitalOcean, seen by sync 31 (+$10.71)."
    )
    assert_parts(restored, "restored")
    fallen = CostAnomaly.objects.get(direction="down")
    assert "Cost of globex -100 %" in fallen.cause
    assert "droplet db-1 gone at DigitalOcean, seen by sync 31 (-$10.71)" in fallen.cause


def test_a_changed_price_is_named() -> None:
    ProviderPrice.objects.filter(sku="small").update(effective_to=SINCE.date())
    a_price("small", "240.00", effective_from=SINCE.date())
    give_spans(a_resource("web-2"), [(BIRTH, None, owned("small"))])
    anomaly = found()
    assert "list price of droplet small $60.00 → $240.00 a month (+$6.00)" in anomaly.cause
    assert_parts(anomaly, "price", "rest")


def test_an_invoice_line_without_a_resource_is_named() -> None:
    give_spans(a_resource("web-01"), [(BIRTH, None, {"sku": "small"})])
    for number, (month, days) in enumerate({4: 30, 5: 31}.items()):
        begins, ends = datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC)
        lines = [a_line(1, "web-01 (s)", f"{days}.00", started_at=begins, ended_at=ends)]
        if month == 5:
            lines.append(
                a_line(2, "elsewhere (gpu)", "90.00", started_at=ends - timedelta(days=3), ended_at=ends)
            )
        invoice = an_invoice(
            f"invoice-{month}", str(sum(line.amount for line in lines)), invoice_id=str(number),
            period=begins.date(), issued_on=ends.date(), ingest_status="ingested",
        )  # fmt: skip
        store_lines(lines, invoice=invoice)
    days_of_invoices = Period(date(2026, 4, 1), date(2026, 6, 1))
    CostDay.objects.bulk_create(CostDay(day=day, source="billed") for day in days_of_invoices)
    compute_due_days()
    detect(at=at(date(2026, 6, 3)))
    anomaly = CostAnomaly.objects.get()
    assert anomaly.cause == (
        "Cost of unattributed +3,000 % (+$30.00 a day) since 29 May: "
        'invoice lines without a resource ("elsewhere (gpu)") (+$30.00).'
    )
    assert_parts(anomaly, "unmatched_lines")
    assert (anomaly.source, anomaly.tenant_id, anomaly.last_day) == ("billed", None, date(2026, 5, 31))


@pytest.mark.parametrize(("hours_a_day", "words"), [(24, "Revenue +0 %."), (72, " too: both rose.")])
def test_revenue_is_named_and_a_leap_in_both_says_so(hours_a_day: int, words: str) -> None:
    published(stored_plan(), droplet_hours=0)
    create_subscription(
        deployment_pk=shop().pk, plan_code="studio", trial_days=0, actor="a test",
        at=datetime(2026, 6, 1, tzinfo=UTC), period=Period(date(2026, 6, 1), date(2026, 7, 1)),
    )  # fmt: skip
    web = a_resource("web-2")
    give_spans(web, [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    for day in Period(date(2026, 6, 1), TODAY):
        bounds = Period(day, day + timedelta(days=1))
        UsageRecord.objects.create(
            deployment=shop(), resource=web, resource_kind="droplet_hours", granularity="daily",
            period_start=bounds.starts_at, period_end=bounds.ends_at,
            # A seventh of the week's sum has no last digit.
            qty=hours_a_day if day >= SINCE.date() else Decimal("23.9") if day.day == 9 else 24,
        )  # fmt: skip
    anomaly = found()
    assert anomaly.cause.endswith(words)
    assert anomaly.revenue_percent == (0 if hours_a_day == 24 else 35)


@pytest.mark.parametrize("outcome", ["failed", "suspicious", None])
def test_a_day_with_a_failed_or_missing_sync_is_not_judged(outcome: str | None) -> None:
    give_spans(a_resource("web-2"), [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    SyncRun.objects.filter(started_at__gte=SINCE).delete()
    if outcome:
        for day in Period(SINCE.date(), TODAY):
            a_run(day, outcome)
    accrue()
    assert detect(at=at()) == AnomalyCounts(opened=0, closed=0, open=0)
    # Read again, it began when it did.
    a_run(TODAY)
    assert detect(at=at()).opened == 1
    assert CostAnomaly.objects.get().began_on == SINCE.date()


Amounts = Callable[[date], str]


def cost(amount_of: Amounts, *, until: date) -> None:
    """Store what a tenant's droplets cost on each day, as computed."""
    days = Period(HISTORY.start, until)
    DailyCost.objects.all().delete()
    CostDay.objects.all().delete()
    CostDay.objects.bulk_create(CostDay(day=day, source="accrued", computed_at=at()) for day in days)
    DailyCost.objects.bulk_create(
        DailyCost(
            day=day, source="accrued", kind="droplet", tenant_id="acme", amount=Decimal(amount_of(day)),
            resources=1,
        )
        for day in days
    )  # fmt: skip


def run_until(today: date, amount_of: Amounts) -> AnomalyCounts:
    cost(amount_of, until=today)
    return detect(at=at(today))


def step(amount: str, *, before: str = "20") -> Amounts:
    return lambda day: amount if day >= SINCE.date() else before


@pytest.mark.parametrize(
    ("before", "after", "opened"),
    [
        ("10", "14.99", 0),
        ("10", "15.00", 1),
        ("100", "129.99", 0),
        ("100", "130", 1),
        ("10", "5", 1),
        ("10", "5.01", 0),
    ],
)
def test_both_floors_count(before: str, after: str, opened: int) -> None:
    assert run_until(TODAY, step(after, before=before)).opened == opened


def test_the_floors_are_settings(settings: Settings) -> None:
    settings.COST_ANOMALY_MIN_DOLLARS = 11
    assert run_until(TODAY, step("30")).opened == 0
    settings.COST_ANOMALY_MIN_DOLLARS = 10
    settings.COST_ANOMALY_MIN_PERCENT = 51
    assert run_until(TODAY, step("30")).opened == 0
    settings.COST_ANOMALY_MIN_PERCENT = 50
    assert run_until(TODAY, step("30")).opened == 1


def test_a_weekly_pattern_is_no_anomaly() -> None:
    assert run_until(TODAY, lambda day: "20" if day.weekday() > 4 else "100").opened == 0
    # The same amount on the wrong day is one.
    assert (
        run_until(TODAY, lambda day: "100" if day == date(2026, 6, 14) or day.weekday() < 5 else "20").opened
        == 1
    )
