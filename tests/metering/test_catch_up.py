"""Periods that no run has metered, and those that have changed since: found by the next run, oldest first."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.periods import Period
from deployments.models import Deployment
from inventory.models import Resource
from inventory.observation.spans import split_spans_at_new_owner
from inventory.services import Origin, tombstone_removed
from inventory.values import Kind
from metering.catch_up import find_due, meter_due
from metering.models import MeteredPeriod, SpanChange, UsageRecord
from metering.services import meter_day
from metering.tasks import meter_days, meter_hours
from metering.values import DAY, HOUR, MeteringResult
from tests.inventory.observations import a_project, observed, seen, the_resource, tombstone
from tests.metering.examples import examples
from tests.metering.rows import a_deployment, days, hourly, instant, metered, recorded, total, whole

pytestmark = pytest.mark.django_db

SETTLED = timedelta(hours=2)  # as the hourly run leaves to the daily one
ALERT = "usage_not_metered"


def by_day() -> dict[int, Decimal]:
    """Return the sum of each day of March."""
    found: dict[int, Decimal] = {}
    for start, quantity in UsageRecord.objects.values_list("period_start", "qty"):
        found[start.day] = found.get(start.day, Decimal(0)) + quantity
    return found


def days_of(starts: tuple[datetime, ...]) -> list[int]:
    return [start.day for start in starts]


def handed_over(to: Deployment, *, at: datetime) -> None:
    """Give the resource to another owner, as an assignment does."""
    resource = the_resource()
    Resource.objects.filter(pk=resource.pk).update(deployment=to, tenant_id=to.tenant_id)
    split_spans_at_new_owner([resource.pk], at=at)


def observed_from(day: int, deployment: Deployment) -> None:
    """Have a saga's droplet seen on that day at noon for the first time, as it is made."""
    observed(
        seen(tenant_id=deployment.tenant_id, deployment_id=deployment.pk, created_at=instant(day, 12)),
        at=instant(day, 12),
    )


def test_five_days_without_workers_are_metered_oldest_first_and_reported() -> None:
    whole(Kind.DROPLET, a_deployment())
    metered(date(2026, 3, 4))
    reported: list[str] = []
    result = meter_due(at=instant(10, 1.2), report=reported.append)
    assert days_of(result.metered) == [5, 6, 7, 8, 9]
    assert days_of(result.missed) == [5, 6, 7, 8]
    assert reported[:5] == [f"2026-03-0{day}" for day in range(5, 10)]
    assert by_day() == dict.fromkeys(range(4, 10), Decimal(24))
    alert = Alert.objects.get(code=ALERT)
    assert alert.message.startswith("4 days from 2026-03-05 to 2026-03-08: not metered in time.")
    assert alert.resolved_by == "metering", "they are metered now"
    assert meter_due(at=instant(10, 2)) == MeteringResult()


def test_a_day_in_between_that_was_missed_is_found() -> None:
    whole(Kind.DROPLET, a_deployment())
    metered(*(date(2026, 3, day) for day in (4, 5, 7, 9)))
    assert days_of(meter_due(at=instant(10, 1.2)).metered) == [6, 8]


def test_a_new_installation_meters_the_day_before() -> None:
    whole(Kind.DROPLET, a_deployment())
    result = meter_due(at=instant(10, 1.2))
    assert (days_of(result.metered), result.missed) == ([9], ())
    assert not Alert.objects.exists()


def test_the_hourly_run_leaves_the_last_day_to_the_daily_one_and_meters_it_when_that_missed_it() -> None:
    whole(Kind.DROPLET, a_deployment())
    metered(date(2026, 3, 8))
    assert meter_due(settled_after=SETTLED, at=instant(10, 1.2)) == MeteringResult()
    assert days_of(meter_due(settled_after=SETTLED, at=instant(10, 2.2)).metered) == [9]


def test_missed_hours_are_metered_oldest_first_and_only_of_hourly_kinds() -> None:
    hourly("droplet_hours", since=date(2026, 3, 10))
    whole(Kind.DROPLET, a_deployment())
    whole(Kind.DATABASE, a_deployment())
    metered(date(2026, 3, 8), date(2026, 3, 9))
    assert meter_due(settled_after=SETTLED, at=instant(10, 0.9)).metered == ()
    assert meter_due(settled_after=SETTLED, at=instant(10, 2.2)).metered == (instant(10), instant(10, 1))
    result = meter_due(settled_after=SETTLED, at=instant(10, 5.2))
    assert result.metered == (instant(10, 2), instant(10, 3), instant(10, 4))
    assert result.missed == (instant(10, 2), instant(10, 3))
    assert total(period_start__gte=instant(10)) == 5
    # The day takes the hours that were missed since, and the daily kinds.
    assert days_of(meter_due(at=instant(11, 1.2)).metered) == [10, 11]
    assert total(period_start__gte=instant(10), period_start__lt=instant(11)) == 48


def test_a_deletion_that_is_confirmed_late_takes_the_days_back_that_it_touches() -> None:
    observed_from(2, a_deployment())
    observed(seen(created_at=instant(2, 12)), at=instant(4, 10))
    metered(*(date(2026, 3, day) for day in range(2, 7)))
    assert by_day() == {2: 12, 3: 24, 4: 24, 5: 24, 6: 24}
    tombstone(["1"], at=instant(7, 9))
    result = meter_due(at=instant(8, 1.2))
    assert days_of(result.remetered) == [4, 5, 6]
    assert by_day() == {2: 12, 3: 24, 4: 10}
    assert (result.counts.corrected, result.counts.removed) == (1, 2)
    assert not SpanChange.objects.exists()
    assert meter_due(at=instant(8, 2)) == MeteringResult()


def test_what_changes_while_a_run_meters_is_left_to_the_next_one() -> None:
    observed_from(2, a_deployment())
    observed(seen(created_at=instant(2, 12)), at=instant(4, 10))
    metered(*(date(2026, 3, day) for day in range(2, 7)))
    tombstone(["1"], at=instant(7, 9))
    late: list[SpanChange] = []

    def change_meanwhile(words: str) -> None:
        if words.endswith("again") and not late:
            changed = {"resource_id": the_resource().pk, "since": instant(3, 0), "until": instant(4, 0)}
            late.append(SpanChange.objects.create(**changed))

    meter_due(at=instant(8, 1.2), report=change_meanwhile)
    assert list(SpanChange.objects.all()) == late != []
    meter_due(at=instant(8, 2))
    assert not SpanChange.objects.exists()


def test_what_is_first_seen_long_after_its_creation_is_metered_for_the_days_it_lived() -> None:
    shop = a_deployment()
    metered(*(date(2026, 3, day) for day in range(2, 7)))
    observed(seen(tenant_id="acme", deployment_id=shop.pk, created_at=instant(4, 6)), at=instant(7, 9))
    assert days_of(meter_due(at=instant(8, 1.2)).remetered) == [4, 5, 6]
    assert by_day() == {4: 18, 5: 24, 6: 24, 7: 24}


def test_an_owner_who_is_decided_for_the_first_time_gets_the_days_before() -> None:
    observed(seen(created_at=instant(4, 6)), at=instant(4, 12))
    metered(*(date(2026, 3, day) for day in range(4, 7)))
    assert by_day() == {}
    shop = a_deployment()
    project = a_project("acme", "acme")
    observed(
        seen(created_at=instant(4, 6), project_id=project.pk, tags=["deployment:shop"]), at=instant(7, 9)
    )
    assert the_resource().deployment_id == shop.pk
    assert days_of(meter_due(at=instant(8, 1.2)).remetered) == [4, 5, 6]
    assert by_day() == {4: 18, 5: 24, 6: 24, 7: 24}


def test_an_assignment_of_today_moves_nothing_of_yesterday() -> None:
    observed_from(2, a_deployment())
    metered(*(date(2026, 3, day) for day in range(2, 7)))
    before = recorded()
    other = a_deployment("crm", "globex")
    handed_over(other, at=instant(7, 13))
    result = meter_due(at=instant(8, 1.2))
    assert result.remetered == ()
    assert [row for row in recorded() if row[4] < instant(7)] == before  # type: ignore[operator]
    assert total(deployment=other) == 11


def test_a_removal_by_a_saga_ends_usage_when_it_was_removed() -> None:
    observed_from(2, a_deployment())
    metered(date(2026, 3, 2))
    tombstone_removed(
        kind=Kind.DROPLET, provider_id="1", at=instant(3, 7), origin=Origin(actor="a test", source="saga:1")
    )
    assert meter_due(at=instant(4, 1.2)).remetered == ()
    assert by_day() == {2: 12, 3: 7}


def test_a_change_of_this_hour_leaves_nothing_to_meter_again() -> None:
    now = timezone.now()
    deployment = a_deployment()
    look: dict[str, Any] = {"tenant_id": "acme", "deployment_id": deployment.pk}
    start = now.replace(minute=0, second=0, microsecond=0)
    observed(seen(created_at=start, **look), at=start)
    observed(seen(created_at=start, status="off", active=False, **look), at=now)
    assert Resource.objects.count() == 1
    assert not SpanChange.objects.exists()


def test_a_day_that_fails_leaves_an_alert_and_is_metered_by_the_next_run() -> None:
    whole(Kind.DROPLET, a_deployment())
    metered(date(2026, 3, 4))
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.period_start = '2026-03-06 00:00+00' THEN RAISE 'the disk is full'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fails BEFORE INSERT ON usage_records FOR EACH ROW EXECUTE FUNCTION fail();
        """)
        with pytest.raises(DatabaseError, match="the disk is full"):
            meter_due(at=instant(10, 1.2))
        assert by_day() == {4: 24, 5: 24}
        assert Alert.objects.get(code=ALERT).resolved_at is None
        cursor.execute("DROP TRIGGER fails ON usage_records")
    assert days_of(meter_due(at=instant(10, 2)).metered) == [6, 7, 8, 9]
    assert Alert.objects.get(code=ALERT).resolved_at is not None


@pytest.mark.django_db(transaction=True)
def test_the_tasks_and_the_command_name_what_they_metered(capsys: pytest.CaptureFixture[str]) -> None:
    whole(Kind.DROPLET, a_deployment())
    before = timezone.now().date() - 3 * DAY
    meter_day_of = Period(before, before + DAY).starts_at
    meter_day(before, at=timezone.now())
    done = meter_days()
    assert (done["metered"], done["missed"]) == (2, [(meter_day_of + DAY).isoformat()])
    assert done["inserted"] == 2
    assert meter_hours()["metered"] == 0
    MeteredPeriod.objects.filter(period_start__gt=meter_day_of).delete()
    call_command("meter_day")
    said = capsys.readouterr().out
    assert f"{meter_day_of + DAY:%Y-%m-%d} 00:00: missed" in said
    assert "2 periods, 0 again: 0 records inserted" in said


events = st.lists(
    st.tuples(
        st.integers(1, 40),  # hours since the one before
        st.sampled_from(["see", "see", "see", "bury", "assign", "meter"]),
        st.booleans(),
        st.sampled_from([None, 0, 1]),
    ),
    min_size=3,
    max_size=12,
)


@examples(10, 200)
@given(story=events, is_hourly=st.booleans(), created=st.integers(-30, 0))
def test_whatever_happens_in_whatever_order_the_rows_are_those_of_the_spans_in_the_end(
    story: list[tuple[int, str, bool, int | None]], is_hourly: bool, created: int
) -> None:
    with transaction.atomic():
        owners = [a_deployment("one"), a_deployment("two", "globex")]
        if is_hourly:
            hourly("droplet_hours", since=date(2026, 3, 4))
        metered(date(2026, 3, 1))
        at = instant(3)
        for gap, step, active, owner in story:
            at += gap * HOUR
            if step == "meter":
                meter_due(at=at)
            elif step == "bury":
                tombstone(["1"], at=at)
            elif step == "assign" and owner is not None and Resource.objects.filter(deleted_at=None).exists():
                to = owners[owner]
                handed_over(to, at=at)
            elif step == "see":
                look: dict[str, Any] = (
                    {}
                    if owner is None
                    else {"deployment_id": owners[owner].pk, "tenant_id": owners[owner].tenant_id}
                )
                observed(
                    seen(
                        status="active" if active else "off",
                        active=active,
                        created_at=instant(3) + created * HOUR,
                        **look,
                    ),
                    at=at,
                )
        at += DAY
        meter_due(at=at)
        found = recorded()
        UsageRecord.objects.all().delete()
        first = date(2026, 3, 1)
        last = at.astimezone(UTC).date()
        metered(*days(first, (last - first).days))
        meter_due(at=at)
        MeteredPeriod.objects.filter(period_start__gte=Period(last, last + DAY).starts_at).delete()
        meter_due(at=at)
        assert found == recorded()
        assert find_due(at=at).days == []
        transaction.set_rollback(True)
