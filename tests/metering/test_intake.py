"""Intake of usage events: counted once, all or nothing, by name what is wrong."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError

from metering.errors import InvalidUsage, PeriodPruned, UsageRefused
from metering.event_partitions import create_partitions_ahead, drop_expired_events
from metering.intake import record_usage, recount_events
from metering.models import BandwidthSource, UsageEvent, UsageRecord
from metering.values import IntakeResult, MeteringCounts
from tests.deployments.test_races import wait_until_blocked
from tests.kernel.threads import at_once, in_thread
from tests.metering.rows import a_deployment, hourly, total

AT: Final = datetime(2026, 4, 20, 12, tzinfo=UTC)


def event(number: int, *, deployment: int, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e-{number}", "deployment": deployment, "kind": "llm_tokens", "quantity": "1.5",
        "at": "2026-04-19T10:20:30Z", **more,
    }  # fmt: skip


def reading(number: int, value: str, *, deployment: int, **more: Any) -> dict[str, Any]:
    found = event(number, deployment=deployment, reading=value, sequence=number, **more)
    del found["quantity"]
    return found


def send(*events: Any, source: str = "gateway", tenant: str | None = None, at: datetime = AT) -> IntakeResult:
    return record_usage(source=source, events=events, tenant_id=tenant, actor="a test", at=at)


def refused(*events: Any, tenant: str | None = None) -> dict[str, list[str]]:
    """Send what must be refused; return the errors. Nothing of it may be stored."""
    before = UsageEvent.objects.count(), total()
    with pytest.raises((InvalidUsage, UsageRefused)) as refusal:
        send(*events, tenant=tenant)
    assert (UsageEvent.objects.count(), total()) == before
    return dict(refusal.value.errors)


@pytest.mark.django_db
def test_ten_thousand_events_with_duplicates_count_once_each() -> None:
    shop, wiki = a_deployment().pk, a_deployment("wiki", "globex").pk
    events = [event(number % 9_000, deployment=(shop, wiki)[number % 9_000 % 2]) for number in range(10_000)]
    assert send(*events) == IntakeResult(received=10_000, counted=9_000, duplicates=1_000)
    assert send(*events) == IntakeResult(received=10_000, counted=0, duplicates=10_000)
    assert total(deployment=shop) == total(deployment=wiki) == Decimal(6_750)
    record = UsageRecord.objects.get(deployment=shop)
    assert (record.resource_id, record.granularity, record.period_start) == (
        None, "daily", datetime(2026, 4, 19, tzinfo=UTC),
    )  # fmt: skip
    assert recount_events(date(2026, 4, 19), at=AT) == MeteringCounts()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_comes_twice_at_once_counts_once() -> None:
    shop = a_deployment().pk
    create_partitions_ahead(at=AT)
    events = [event(number, deployment=shop) for number in range(3_000)]
    results = at_once(3, lambda: send(*events))
    assert sorted(result.counted for result in results) == [0, 0, 3_000]
    assert total() == Decimal(4_500)


@pytest.mark.django_db(transaction=True)
def test_two_sources_at_once_add_to_one_day() -> None:
    shop = a_deployment().pk
    names = iter("abcd")
    results = at_once(4, lambda: send(*(event(n, deployment=shop) for n in range(500)), source=next(names)))
    assert [result.counted for result in results] == [500] * 4
    assert total() == Decimal(3_000)
    assert recount_events(date(2026, 4, 19), at=AT) == MeteringCounts()


@pytest.mark.django_db
def test_every_bad_event_is_named_by_place_and_field_and_the_batch_is_refused() -> None:
    shop = a_deployment().pk
    bad = [
        event(0, deployment=shop),
        event(1, deployment=shop, quantity="-1"),
        event(2, deployment=shop, quantity="1.1234567"),
        event(3, deployment=shop, kind="droplet_hours"),
        event(4, deployment=shop, at="2026-04-20T12:05:00Z"),
        event(5, deployment=shop, at="2026-02-28T23:59:59Z"),
        event(6, deployment=shop, at="2026-04-19 10:00"),
        event(7, deployment=2**40),
        event(8, deployment=shop, colour="red"),
        {"event_id": "", "deployment": True, "quantity": 1},
        "nonsense",
        event(11, deployment=shop, reading="5"),
        event(12, deployment=shop, reset=True),
    ]
    errors = refused(*bad)
    assert sorted(errors, key=lambda name: int(name.split(".")[1])) == [
        "events.1.quantity", "events.2.quantity", "events.3.kind", "events.4.at", "events.5.at",
        "events.6.at",
        "events.7.deployment", "events.8.colour", "events.9.event_id", "events.9.deployment", "events.9.kind",
        "events.9.at", "events.10", "events.11.reading", "events.12.reset",
    ]  # fmt: skip
    assert errors["events.1.quantity"] == ["May not be negative."]
    assert errors["events.4.at"] == ["Must not be in the future."]
    assert errors["events.5.at"] == ["Must not be before 2026-03-01: older usage is no longer taken."]


@pytest.mark.django_db
def test_the_bounds_of_a_batch() -> None:
    shop = a_deployment().pk
    assert refused() == {"events": ["Must hold 1 to 10,000 events, not 0."]}
    many = [event(number, deployment=shop) for number in range(10_001)]
    assert refused(*many) == {"events": ["Must hold 1 to 10,000 events, not 10,001."]}
    first = event(1, deployment=shop, at="2026-03-01T00:00:00Z", quantity=0)
    assert send(first, event(2, deployment=shop, at="2026-04-20T14:00:20+02:00", quantity=2)).counted == 2
    assert total() == 2


@pytest.mark.django_db
def test_an_event_that_came_with_another_content_is_refused() -> None:
    shop = a_deployment().pk
    send(event(1, deployment=shop))
    words = "Was received before with another content."
    assert refused(event(1, deployment=shop, quantity="2")) == {"events.0.event_id": [words]}
    other_month = event(1, deployment=shop, at="2026-03-19T10:20:30Z")
    assert refused(event(2, deployment=shop), other_month) == {"events.1.event_id": [words]}
    twice = [event(3, deployment=shop), event(3, deployment=shop, quantity="7")]
    assert refused(*twice) == {"events.1.event_id": ["Stands in the batch before, with another content."]}
    assert send(event(1, deployment=shop, quantity=Decimal("1.50"))).duplicates == 1


@pytest.mark.django_db
def test_a_tenant_sends_for_its_own_and_two_tenants_may_name_their_events_alike() -> None:
    shop, wiki = a_deployment().pk, a_deployment("wiki", "globex").pk
    assert refused(event(1, deployment=wiki), tenant="acme") == {
        "events.0.deployment": ["There is no such deployment."]
    }
    assert send(event(1, deployment=shop), tenant="acme").counted == 1
    assert send(event(1, deployment=wiki), tenant="globex").counted == 1
    assert send(event(1, deployment=wiki)).counted == 1, "a source of no tenant is another one"


@pytest.mark.django_db
def test_readings_count_by_their_difference_to_the_last_one() -> None:
    shop = a_deployment().pk
    assert send(reading(1, "1000", deployment=shop)).counted == 1
    assert total() == 0, "what a meter counted before it was known isn't this month's"
    send(reading(2, "1500", deployment=shop), reading(5, "1600.25", deployment=shop))
    assert total() == Decimal("600.25")
    send(reading(2, "1500", deployment=shop), reading(6, "1600.25", deployment=shop))
    send(reading(7, "40", deployment=shop, reset=True), reading(8, "50", deployment=shop))
    assert total() == Decimal("650.25")
    send(reading(1, "9", deployment=shop, sub_account="a", event_id="other-1"))
    send(reading(2, "10", deployment=shop, sub_account="a", event_id="other-2"))
    assert total(sub_account="a") == 1
    assert recount_events(date(2026, 4, 19), at=AT) == MeteringCounts()


@pytest.mark.django_db
def test_a_reading_out_of_order_or_below_the_last_is_refused_by_name() -> None:
    shop = a_deployment().pk
    send(reading(5, "1000", deployment=shop))
    assert refused(reading(5, "1001", deployment=shop, event_id="again")) == {
        "events.0.sequence": ["Must be above 5, that of the meter's last reading."]
    }
    swapped = [reading(8, "1010", deployment=shop), reading(7, "1005", deployment=shop)]
    assert refused(*swapped) == {"events.1.sequence": ["Must be above 8, that of the meter's last reading."]}
    assert refused(reading(9, "999.5", deployment=shop)) == {
        "events.0.reading": [
            'Is below 1000.000000, the meter\'s last reading; a meter that began anew says "reset": true.'
        ]
    }
    earlier = reading(9, "1001", deployment=shop, at="2026-04-18T00:00:00Z")
    assert list(refused(earlier)) == ["events.0.at"]


@pytest.mark.django_db
def test_bandwidth_counts_by_intake_only_where_that_is_its_source() -> None:
    shop = a_deployment()
    given = event(1, deployment=shop.pk, kind="bandwidth_gb", quantity="12.5")
    assert list(refused(given)) == ["events.0.kind"]
    BandwidthSource.objects.create(
        deployment=shop, source="intake", effective_from="2026-04-19", set_by="a test", set_at=AT
    )
    assert list(refused({**given, "at": "2026-04-18T23:59:59Z"})) == ["events.0.kind"]
    assert send(given).counted == 1
    assert total(resource_kind="bandwidth_gb") == Decimal("12.5")


@pytest.mark.django_db
def test_kinds_that_are_metered_hourly_get_the_hours_of_their_events() -> None:
    shop = a_deployment().pk
    hourly("llm_tokens", since=date(2026, 4, 19))
    send(event(1, deployment=shop), event(2, deployment=shop, at="2026-04-18T10:20:30Z"))
    found = UsageRecord.objects.order_by("period_start").values_list("granularity", "period_start")
    assert list(found) == [
        ("daily", datetime(2026, 4, 18, tzinfo=UTC)),
        ("hourly", datetime(2026, 4, 19, 10, tzinfo=UTC)),
    ]
    assert recount_events(date(2026, 4, 19), at=AT) == MeteringCounts()


@pytest.mark.django_db
def test_a_recount_makes_a_day_what_its_events_sum_to() -> None:
    shop, wiki = a_deployment().pk, a_deployment("wiki").pk
    send(event(1, deployment=shop), event(2, deployment=wiki))
    UsageRecord.objects.filter(deployment=shop).update(qty=99)
    UsageRecord.objects.filter(deployment=wiki).update(sub_account="wrong")
    assert recount_events(date(2026, 4, 19), at=AT) == MeteringCounts(inserted=1, corrected=1, removed=1)
    assert total(deployment=shop) == total(deployment=wiki) == Decimal("1.5")
    with pytest.raises(PeriodPruned):
        recount_events(date(2026, 2, 28), at=AT)


@pytest.mark.django_db(transaction=True)
def test_a_recount_waits_for_a_batch_under_way_and_takes_nothing_of_it_back() -> None:
    shop = a_deployment().pk
    send(event(1, deployment=shop))
    counts: list[MeteringCounts] = []
    with transaction.atomic():
        send(event(2, deployment=shop))
        recount = in_thread(lambda: counts.append(recount_events(date(2026, 4, 19), at=AT)))
        wait_until_blocked(1)
    recount.join()
    assert counts == [MeteringCounts()]
    assert total(deployment=shop) == Decimal(3)


@pytest.mark.django_db
def test_partitions_are_made_ahead_and_dropped_with_their_retention() -> None:
    assert create_partitions_ahead(at=AT) == 3
    assert create_partitions_ahead(at=AT) == 0
    shop = a_deployment().pk
    send(event(1, deployment=shop, at="2026-03-05T00:00:00Z"), event(2, deployment=shop))
    assert drop_expired_events(at=AT + timedelta(days=700)) == []
    assert drop_expired_events(at=AT + timedelta(days=770)) == ["usage_events_2026_03"]
    assert [row.event_id for row in UsageEvent.objects.all()] == ["e-2"]


@pytest.mark.django_db
def test_the_database_keeps_events_as_they_came() -> None:
    send(event(1, deployment=a_deployment().pk))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL arcadia.rewrite_history = ''")
        for statement in ("UPDATE usage_events SET quantity = 0", "DELETE FROM usage_events"):
            with pytest.raises((IntegrityError, InternalError), match="append-only"), transaction.atomic():
                cursor.execute(statement)
