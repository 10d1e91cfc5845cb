"""Any life, cut anywhere: usage is its integral, whenever and however often it is metered."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import Period
from deployments.models import Deployment
from inventory.values import Kind
from metering.models import MeteringConfig, UsageRecord
from metering.queries import usage_for_period
from metering.services import meter_hour
from metering.values import DAY, HOUR, METERED_KINDS, MeteredKind
from tests.metering.examples import examples
from tests.metering.rows import (
    LATER,
    Stretch,
    a_deployment,
    days,
    half_up,
    hourly,
    instant,
    integral,
    lived,
    march,
    metered,
    recorded,
    total,
    whole,
)

pytestmark = pytest.mark.django_db

# Six days over the turn of a month: to the microsecond, as the provider's clock and ours are.
FIRST = date(2026, 2, 26)
STORY = days(FIRST, 6)
BEGIN, END = instant(26, month=2), instant(4)
FEBRUARY, MARCH = instant(1, month=2), instant(1)

sizes = st.decimals(Decimal(0), Decimal(20_000), places=6)
owners = st.sampled_from([None, 0, 1])
# What follows a moment: gone, or alive with an owner, running or off, of some size.
facts = st.one_of(st.none(), st.tuples(owners, st.booleans(), sizes))
moments = st.integers(-86_400_000_000, (END - BEGIN) // timedelta(microseconds=1)).map(
    lambda us: BEGIN + timedelta(microseconds=us)
)
lives = st.dictionaries(moments, facts, min_size=1, max_size=8)
kinds = st.sampled_from(METERED_KINDS)

Facts = tuple[int | None, bool, Decimal] | None


def told(life: dict[datetime, Facts], owners: list[Deployment]) -> list[Stretch]:
    """Return the stretches of a life, from the facts at each moment on."""
    moments = sorted(life)
    stretches = []
    for since, until in zip(moments, [*moments[1:], None], strict=True):
        fact = life[since]
        if fact is not None:
            owner, active, size = fact
            stretches.append(Stretch(since, until, None if owner is None else owners[owner], active, size))
    return stretches


@examples(12, 300)
@given(life=lives, kind=kinds)
def test_a_life_metered_by_day_or_by_hour_is_its_integral(
    life: dict[datetime, Facts], kind: MeteredKind
) -> None:
    with transaction.atomic():
        deployments = [a_deployment("one"), a_deployment("two", "globex")]
        stretches = told(life, deployments)
        if stretches:
            lived(kind.kind, *stretches)
        metered(*STORY)
        by_day = recorded()
        for month_since, since, until in ((FEBRUARY, BEGIN, MARCH), (MARCH, MARCH, END)):
            of_month = {"period_start__gte": since, "period_start__lt": until}
            for owner in deployments:
                exact = integral(
                    [each for each in stretches if each.deployment == owner],
                    by=str(kind.accrual),
                    since=since,
                    until=until,
                )
                # Rounded at each bound of an owner's parts, and nowhere else.
                assert abs(total(deployment=owner, **of_month) - half_up(exact)) <= Decimal("0.000008")
            if all(each.deployment is not None for each in stretches) and not any(
                each.since < since for each in stretches
            ):
                exact = integral(stretches, by=str(kind.accrual), since=month_since, until=until)
                assert total(**of_month) == half_up(exact), "one rounding for the month"

        sums = UsageRecord.objects.values_list("deployment", "period_start__date").annotate(Sum("qty"))
        expected = sorted(sums)
        hourly(*{str(each.billing_kind) for each in METERED_KINDS}, since=FIRST)
        metered(*STORY)
        assert sorted(sums) == expected, "the hours of a day add up to the day"
        assert not UsageRecord.objects.filter(granularity="daily").exists()

        MeteringConfig.objects.all().delete()
        metered(*STORY)
        assert recorded() == by_day
        transaction.set_rollback(True)


@examples(6, 100)
@given(
    size=sizes.filter(bool),
    cuts=st.lists(st.integers(1, 31 * 86_400_000_000 - 1), max_size=5, unique=True),
    by_hour=st.booleans(),
    kind=st.sampled_from(
        [Kind.SNAPSHOT, Kind.VOLUME, Kind.SPACES_BUCKET, Kind.DROPLET_BACKUP, Kind.DNS_ZONE]
    ),
)
def test_a_full_month_is_exactly_the_size_however_many_owners_it_has(
    size: Decimal, cuts: list[int], by_hour: bool, kind: Kind
) -> None:
    with transaction.atomic():
        owners = [a_deployment("one"), a_deployment("two", "globex")]
        bounds = [
            instant(1, month=2),
            *(instant(1) + timedelta(microseconds=cut) for cut in sorted(cuts)),
            None,
        ]
        lived(
            kind,
            *(
                Stretch(since, until, owners[number % 2], size=size)
                for number, (since, until) in enumerate(pairwise(bounds))
                if since is not None
            ),
        )
        if by_hour:
            hourly("snapshot_gb_month", "spaces_gb_month", since=date(2026, 3, 17))
        metered(*march())
        assert total() == (1 if kind == Kind.DNS_ZONE else size)
        transaction.set_rollback(True)


@examples(8, 200)
@given(life=lives, order=st.lists(st.sampled_from(STORY), max_size=8), seed=st.integers(0, 99))
def test_any_order_and_any_number_of_runs_gives_the_same_rows(
    life: dict[datetime, Facts], order: list[date], seed: int
) -> None:
    with transaction.atomic():
        owners = [a_deployment("one"), a_deployment("two", "globex")]
        if stretches := told(life, owners):
            lived(Kind.VOLUME, *stretches)
            lived(Kind.DROPLET, *stretches)
        metered(*STORY)
        expected = recorded()
        period = Period(STORY[0], STORY[-1] + DAY)
        usage = {owner.pk: usage_for_period(owner.pk, period) for owner in owners}
        UsageRecord.objects.all().delete()
        every = [*STORY, *order]
        random.Random(seed).shuffle(every)
        metered(*every)
        assert recorded() == expected
        # What a quote is made from: so it doesn't depend on when the days were metered.
        assert {owner.pk: usage_for_period(owner.pk, period) for owner in owners} == usage
        transaction.set_rollback(True)


@examples(8, 200)
@given(
    life=lives,
    changes=st.dictionaries(st.sampled_from(STORY), st.sampled_from(["daily", "hourly"]), max_size=4),
    early=st.lists(st.integers(0, 143), max_size=6),
)
def test_switching_granularity_counts_every_hour_once(
    life: dict[datetime, Facts], changes: dict[date, str], early: list[int]
) -> None:
    with transaction.atomic():
        owners = [a_deployment("one"), a_deployment("two", "globex")]
        if stretches := told(life, owners):
            lived(Kind.DROPLET, *stretches)
        metered(*STORY)
        sums = UsageRecord.objects.values_list("deployment", "period_start__date").annotate(Sum("qty"))
        expected = sorted(sums)
        UsageRecord.objects.all().delete()
        for since, granularity in changes.items():
            MeteringConfig.objects.create(
                resource_kind="droplet_hours",
                granularity=granularity,
                effective_from=since,
                set_by="a test",
                set_at=LATER,
            )
        for number in early:  # some hours by the hourly run, which may come after the day's
            meter_hour(BEGIN + number * HOUR, at=LATER)
        metered(*STORY)
        for number in early:
            meter_hour(BEGIN + number * HOUR, at=LATER)
        assert sorted(sums) == expected
        transaction.set_rollback(True)


def test_the_months_of_a_year_add_up_by_hour_too() -> None:
    """A size whose share of an hour has no end in decimals."""
    hourly("volume_gb_month", since=date(2026, 3, 16))
    whole(Kind.VOLUME, a_deployment(), "33.333333")
    metered(*march())
    assert UsageRecord.objects.count() == 15 + 16 * 24
    assert total() == Decimal("33.333333")
