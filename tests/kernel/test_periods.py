"""Periods: bounds, months, and shares that add up."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcadia_cloud.kernel.money import Money, sum_money
from arcadia_cloud.kernel.periods import (
    Period,
    month_of,
    next_month,
    one_month_before,
    parse_month,
    previous_month,
)

APRIL = Period(date(2026, 4, 1), date(2026, 5, 1))
NO_MONTH = "Must be a month, as 2026-04, or its first day, as 2026-04-01."
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
PERIODS = st.builds(lambda start, days: Period(start, start + timedelta(days)), DAYS, st.integers(1, 800))
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=7)


def test_a_period_has_a_day_at_least() -> None:
    for end in (date(2026, 4, 1), date(2026, 3, 31)):
        with pytest.raises(ValueError, match="ends after it starts"):
            Period(date(2026, 4, 1), end)


def test_bounds_are_days_not_instants() -> None:
    with pytest.raises(TypeError):
        Period(datetime(2026, 4, 1, tzinfo=UTC), date(2026, 5, 1))


def test_a_period_is_half_open() -> None:
    assert APRIL.days == 30
    assert list(APRIL) == [date(2026, 4, day) for day in range(1, 31)]
    assert APRIL.contains(date(2026, 4, 1))
    assert APRIL.contains(date(2026, 4, 30))
    assert not APRIL.contains(date(2026, 5, 1))
    assert not APRIL.contains(date(2026, 3, 31))
    assert APRIL.contains(APRIL)
    assert not APRIL.contains(Period(date(2026, 4, 30), date(2026, 5, 2)))


def test_instants_count_in_utc() -> None:
    assert (APRIL.starts_at, APRIL.ends_at) == (
        datetime(2026, 4, 1, tzinfo=UTC),
        datetime(2026, 5, 1, tzinfo=UTC),
    )
    assert APRIL.contains(datetime(2026, 4, 30, 23, 59, 59, 999999, tzinfo=UTC))
    assert not APRIL.contains(APRIL.ends_at)
    east = timezone(timedelta(hours=9))
    assert month_of(datetime(2026, 5, 1, 8, 59, tzinfo=east)) == APRIL
    assert month_of(datetime(2026, 5, 1, 9, 0, tzinfo=east)) == month_of(date(2026, 5, 31))
    with pytest.raises(ValueError, match="without a time zone"):
        month_of(datetime(2026, 4, 1))  # noqa: DTZ001 - that is the case


def test_overlap_is_what_both_have() -> None:
    late = Period(date(2026, 4, 20), date(2026, 6, 1))
    assert APRIL.overlap(late) == late.overlap(APRIL) == Period(date(2026, 4, 20), date(2026, 5, 1))
    assert APRIL.overlap(Period(date(2026, 5, 1), date(2026, 6, 1))) is None
    assert APRIL.overlap(APRIL) == APRIL


def test_a_split_leaves_no_day_out() -> None:
    assert APRIL.split() == [APRIL]
    assert APRIL.split(date(2026, 4, 1), date(2026, 5, 1), date(2027, 1, 1)) == [APRIL]
    assert APRIL.split(date(2026, 4, 20), date(2026, 4, 10), date(2026, 4, 10)) == [
        Period(date(2026, 4, 1), date(2026, 4, 10)),
        Period(date(2026, 4, 10), date(2026, 4, 20)),
        Period(date(2026, 4, 20), date(2026, 5, 1)),
    ]


@pytest.mark.parametrize(
    ("when", "before", "after"),
    [
        ("2026-04-17", "2026-03-01", "2026-05-01"),
        ("2026-01-31", "2025-12-01", "2026-02-01"),
        ("2026-12-01", "2026-11-01", "2027-01-01"),
        ("2024-02-29", "2024-01-01", "2024-03-01"),
    ],
)
def test_the_months_beside_a_month(when: str, before: str, after: str) -> None:
    day = date.fromisoformat(when)
    assert month_of(day).start == day.replace(day=1)
    assert previous_month(day) == month_of(date.fromisoformat(before))
    assert next_month(day) == month_of(date.fromisoformat(after))
    assert previous_month(day).end == month_of(day).start
    assert month_of(day).end == next_month(day).start


def test_a_month_is_read_from_text() -> None:
    assert parse_month("2026-04") == parse_month("2026-04-01") == APRIL
    assert parse_month("2026-12").end == date(2027, 1, 1)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-4", "2026-13", "2026-00", "0000-01", "2026-04-02", "2026-04 ", "9999-12"],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Must be a month") as refusal:
        parse_month(text)
    assert str(refusal.value) == NO_MONTH


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("2026-04-17T12:30:00+00:00", "2026-03-17T12:30:00+00:00"),
        ("2026-03-31T12:30:00+00:00", "2026-02-28T23:59:59.999999+00:00"),
        ("2026-01-01T00:00:00+00:00", "2025-12-01T00:00:00+00:00"),
        ("2024-03-29T01:00:00+00:00", "2024-02-29T01:00:00+00:00"),
    ],
)
def test_the_same_moment_of_the_month_before(at: str, before: str) -> None:
    assert one_month_before(datetime.fromisoformat(at)) == datetime.fromisoformat(before)


def test_shares_follow_the_days() -> None:
    first, second, third = APRIL.split(date(2026, 4, 11), date(2026, 4, 21))
    amount = Decimal("100.00")
    assert [APRIL.share(amount, part, places=2) for part in (first, second, third)] == [
        Decimal("33.33"),
        Decimal("33.34"),
        Decimal("33.33"),
    ]
    assert APRIL.prorate(Money(Decimal(100), "JPY"), second) == Money(Decimal(34), "JPY")
    with pytest.raises(ValueError, match="isn't within"):
        APRIL.share(amount, Period(date(2026, 4, 30), date(2026, 5, 2)), places=2)


@given(PERIODS, AMOUNTS, st.lists(DAYS), st.lists(st.integers(0, 800)), st.integers(0, 7))
def test_the_shares_of_any_split_add_up_to_the_amount(
    period: Period, amount: Decimal, anywhere: list[date], offsets: list[int], places: int
) -> None:
    parts = period.split(*anywhere, *(period.start + timedelta(offset) for offset in offsets))
    assert sum(part.days for part in parts) == period.days
    shares = [period.share(amount, part, places=places) for part in parts]
    assert sum(shares) == amount
    for share in shares[:-1]:
        assert share == round(share, places)
    money = Money(amount, "USD").rounded()
    prorated = [period.prorate(money, part) for part in parts]
    assert sum_money(prorated) == money
    assert all(each == each.rounded() for each in prorated)


@given(PERIODS, AMOUNTS, st.data())
def test_a_part_of_a_part_is_no_other_share(period: Period, amount: Decimal, data: st.DataObject) -> None:
    cut: Any = st.integers(0, period.days).map(lambda days: period.start + timedelta(days))
    bounds = sorted(data.draw(st.sets(cut, min_size=2, max_size=3)))
    if len(bounds) == 3:
        whole, *halves = Period(bounds[0], bounds[2]), Period(*bounds[:2]), Period(*bounds[1:])
        assert period.share(amount, whole, places=2) == sum(
            period.share(amount, half, places=2) for half in halves
        )


@given(PERIODS, AMOUNTS)
def test_a_day_costs_its_share_within_a_cent(period: Period, amount: Decimal) -> None:
    day = Period(period.start, period.start + timedelta(days=1))
    assert abs(period.share(amount, day, places=2) - amount / period.days) <= Decimal("0.01")
