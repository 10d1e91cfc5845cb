"""The terms of metering, and how long usage is kept by them."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from catalog.values.kinds import BillingKind
from inventory.values import Kind
from metering import retention
from metering.errors import InvalidMeteringTerms
from metering.models import MeteredPeriod, MeteringConfig, UsageRecord
from metering.services import meter_day, prune_usage, set_metering_terms
from metering.terms import TermsByDay
from metering.values import DEFAULT_RETENTION_DAYS, Granularity, MeteringTerms
from tests.metering.rows import a_deployment, instant, whole

pytestmark = pytest.mark.django_db

AT = instant(20, 12, month=6)
HOURS = BillingKind.DROPLET_HOURS


def test_a_kind_without_terms_is_metered_daily_and_kept_for_two_years() -> None:
    assert TermsByDay().of(HOURS, date(2026, 6, 1)) == MeteringTerms(
        Granularity.DAILY, DEFAULT_RETENTION_DAYS
    )


def test_terms_hold_from_their_day_until_the_next() -> None:
    for day, granularity in ((21, Granularity.HOURLY), (25, Granularity.DAILY)):
        set_metering_terms(
            kind=HOURS,
            terms=MeteringTerms(granularity, 400),
            effective_from=date(2026, 6, day),
            actor="an operator",
            at=AT,
        )
    terms = TermsByDay()
    assert [str(terms.of(HOURS, date(2026, 6, day)).granularity) for day in (20, 21, 24, 25)] == [
        "daily",
        "hourly",
        "hourly",
        "daily",
    ]
    assert terms.of(BillingKind.DNS_ZONES, date(2026, 6, 21)).granularity == Granularity.DAILY


def test_terms_set_again_for_a_day_replace_the_first() -> None:
    for days in (400, 500):
        set_metering_terms(
            kind=HOURS,
            terms=MeteringTerms(retention_days=days),
            effective_from=date(2026, 6, 21),
            actor="an operator",
            at=AT,
        )
    assert MeteringConfig.objects.get().retention_days == 500


@pytest.mark.parametrize(
    ("day", "retention", "field"),
    [(20, 400, "effective_from"), (19, 400, "effective_from"), (21, 0, "retention_days")],
)
def test_terms_that_would_rewrite_a_day_or_keep_nothing_are_refused(
    day: int, retention: int, field: str
) -> None:
    with pytest.raises(InvalidMeteringTerms) as refusal:
        set_metering_terms(
            kind=HOURS,
            terms=MeteringTerms(Granularity.HOURLY, retention),
            effective_from=date(2026, 6, day),
            actor="an operator",
            at=AT,
        )
    assert list(refusal.value.errors) == [field]
    assert not MeteringConfig.objects.exists()


def used(kind: str, start: datetime) -> None:
    UsageRecord.objects.create(
        deployment=a_deployment(),
        resource_kind=kind,
        period_start=start,
        period_end=start + timedelta(days=1),
        granularity="daily",
        qty=1,
    )


def kept() -> list[tuple[str, str]]:
    rows = UsageRecord.objects.order_by("resource_kind", "period_start")
    return [(kind, f"{start:%m-%d}") for kind, start in rows.values_list("resource_kind", "period_start")]


def test_pruning_keeps_each_kind_as_long_as_its_terms_say_and_never_touches_last_month(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)  # several batches of a few rows
    MeteringConfig.objects.create(
        resource_kind=HOURS, retention_days=10, effective_from=date(2026, 1, 1), set_by="x", set_at=AT
    )
    MeteringConfig.objects.create(
        resource_kind="dns_zones", retention_days=90, effective_from=date(2026, 1, 1), set_by="x", set_at=AT
    )
    for month, day in ((3, 21), (3, 22), (4, 29), (4, 30), (5, 1), (6, 1), (6, 19)):
        for kind in ("droplet_hours", "dns_zones", "llm_tokens"):
            used(kind, instant(day, month=month))
    MeteredPeriod.objects.create(granularity="daily", period_start=instant(22), metered_at=AT)
    reported: list[int] = []
    # Ten days back is the tenth of June: all of May is kept all the same.
    assert prune_usage(at=AT, report=reported.append) == {"droplet_hours": 4, "dns_zones": 1}
    assert reported == [2, 4, 5]
    assert kept() == [
        *[("dns_zones", day) for day in ("03-22", "04-29", "04-30", "05-01", "06-01", "06-19")],
        *[("droplet_hours", day) for day in ("05-01", "06-01", "06-19")],
        *[("llm_tokens", day) for day in ("03-21", "03-22", "04-29", "04-30", "05-01", "06-01", "06-19")],
    ]
    assert MeteredPeriod.objects.count() == 1, "some kind's usage of that day is kept"
    assert prune_usage(at=AT) == {}
    call_command("prune_usage")
    assert "records pruned" in capsys.readouterr().out  # by the present day's clock it is later


def test_a_pruned_day_is_neither_missed_nor_metered_again() -> None:
    MeteringConfig.objects.create(
        resource_kind=HOURS, retention_days=10, effective_from=date(2026, 1, 1), set_by="x", set_at=AT
    )
    whole(Kind.DROPLET, a_deployment())
    whole(Kind.DATABASE, a_deployment())
    day = date(2026, 4, 30)
    assert meter_day(day, at=instant(1, month=5)).inserted == 2
    assert prune_usage(at=AT) == {"droplet_hours": 1}
    counts = meter_day(day, at=AT)
    assert (counts.inserted, counts.removed) == (0, 0)
    assert UsageRecord.objects.get().qty == Decimal(24)


def test_what_was_metered_before_anything_is_kept_is_forgotten() -> None:
    long_ago = AT - timedelta(days=2000)
    MeteredPeriod.objects.create(granularity="daily", period_start=long_ago, metered_at=AT)
    prune_usage(at=AT)
    assert not MeteredPeriod.objects.exists()
