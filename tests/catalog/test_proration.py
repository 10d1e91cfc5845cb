"""Periods that start late, end early, pause or change their version, by hand."""

from datetime import date
from decimal import Decimal

import pytest

from arcadia_cloud.kernel.periods import Period, month_of
from catalog.values.lines import LineType, Quote
from catalog.values.terms import PriceModel
from tests.catalog.build import (
    JUNE,
    addon,
    amounts,
    aud,
    daily,
    graduated,
    item,
    june,
    line_of,
    per_unit,
    plan,
    quote_of,
    resource_rate,
    segment,
)

STORAGE = addon("storage_50gb", "spaces_gb_month", "50", "7.50")


def base_fees(*segments: object, period: Period = JUNE) -> list[str]:
    found = quote_of(*segments, period=period)  # type: ignore[arg-type]
    return [f"{line.amount.amount:.2f}" for line in found.lines if line.type == LineType.BASE_FEE]


@pytest.mark.parametrize("days", [june(1, 31), june(1, 2), june(30, 31), june(10, 20)])
def test_without_proration_a_started_period_is_due_in_full(days: Period) -> None:
    terms = plan("50", item("spaces_gb_month", "250", per_unit("1")))
    found = quote_of(segment(days, terms, STORAGE, spaces_gb_month="301"))
    assert amounts(found) == [
        ("base_fee", "studio", "50.00"),
        ("addon", "storage_50gb", "7.50"),
        ("usage", "spaces_gb_month", "1.00"),
    ]


def test_without_proration_an_upgrade_takes_effect_at_once_for_the_whole_period() -> None:
    starter = plan("20", item("dns_zones", "1", per_unit("2")), name="starter")
    studio = plan("50", item("dns_zones", "5", per_unit("1")))
    found = quote_of(
        segment(june(1, 30), starter, dns_zones="6"), segment(june(30, 31), studio, dns_zones="1")
    )
    assert amounts(found) == [("base_fee", "studio", "50.00"), ("usage", "dns_zones", "2.00")]


def test_without_proration_a_downgrade_takes_effect_with_the_next_period() -> None:
    starter = plan("20", item("dns_zones", "1", per_unit("2")), name="starter")
    studio = plan("50", item("dns_zones", "5", per_unit("1")))
    found = quote_of(segment(june(1, 2), studio, dns_zones="1"), segment(june(2, 31), starter, dns_zones="6"))
    assert amounts(found) == [("base_fee", "studio", "50.00"), ("usage", "dns_zones", "2.00")]
    assert amounts(quote_of(segment(JUNE, starter, dns_zones="6"))) == [
        ("base_fee", "starter", "20.00"),
        ("usage", "dns_zones", "10.00"),
    ]


def test_without_proration_the_later_of_two_versions_at_one_price_governs() -> None:
    old, new = plan("50", version=1), plan("50", item("dns_zones", "9"), version=2)
    found = quote_of(segment(june(1, 15), old, dns_zones="9"), segment(june(15, 31), new))
    assert found.lines[0].versions == ("studio/2",)
    assert not found.warnings


def test_without_proration_an_addon_is_due_once_though_it_was_attached_twice() -> None:
    terms = plan("20")
    dearer = addon("storage_50gb", "spaces_gb_month", "60", "9")
    found = quote_of(
        segment(june(1, 10), terms, STORAGE),
        segment(june(10, 20), terms),
        segment(june(20, 31), terms, dearer),
    )
    assert amounts(found)[1:] == [("addon", "storage_50gb", "9.00"), ("usage", "spaces_gb_month", "0.00")]
    assert line_of(found, LineType.USAGE).included == Decimal(60)


def test_without_proration_a_new_resource_price_still_counts_from_its_day() -> None:
    rates = [
        resource_rate("volume_gb_month", "1", until=date(2026, 6, 16)),
        resource_rate("volume_gb_month", "2", since=date(2026, 6, 16)),
    ]
    space = addon("volume_30", "volume_gb_month", "30", "1")
    found = quote_of(
        segment(june(11, 16), plan("20"), space, volume_gb_month="20"),
        segment(june(16, 31), plan("20"), space, volume_gb_month="20"),
        rates=rates,
    )
    usages = [line for line in found.lines if line.type == LineType.USAGE]
    assert [(line.included, line.amount) for line in usages] == [
        (Decimal(15), aud("5")),
        (Decimal(15), aud("10")),
    ]


@pytest.mark.parametrize(
    ("period", "first_days", "fees"),
    [
        # Running totals of 50.00 by days, rounded half up, and their differences.
        (month_of(date(2026, 2, 1)), 14, ["25.00", "25.00"]),
        (month_of(date(2028, 2, 1)), 14, ["24.14", "25.86"]),  # 29 days: 24.1379
        (month_of(date(2026, 6, 1)), 14, ["23.33", "26.67"]),
        (month_of(date(2026, 7, 1)), 14, ["22.58", "27.42"]),  # 31 days: 22.5806
        (month_of(date(2026, 7, 1)), 30, ["48.39", "1.61"]),  # starts on the 31st
    ],
)
def test_by_days_the_parts_of_a_month_sum_to_the_month(
    period: Period, first_days: int, fees: list[str]
) -> None:
    first, second = period.split(period.start.replace(day=first_days + 1))
    found = base_fees(
        segment(first, daily("50", version=1)), segment(second, daily("50", version=2)), period=period
    )
    assert found == fees


def test_by_days_the_day_of_a_change_belongs_to_the_new_version() -> None:
    found = quote_of(segment(june(1, 16), daily("30", name="starter")), segment(june(16, 31), daily("60")))
    assert amounts(found) == [("base_fee", "starter", "15.00"), ("base_fee", "studio", "30.00")]
    (step,) = found.lines[0].charges
    assert str(step) == (
        "round(price * days_to_end / days, places) - round(price * days_to_start / days, places)"
        " = round(30 * 15 / 30, 2) - round(30 * 0 / 30, 2) = 15"
    )


def test_by_days_two_changes_in_a_month_count_each_for_its_days() -> None:
    fees = base_fees(
        segment(june(1, 11), daily("20", name="starter")),
        segment(june(11, 12), daily("120", name="pro")),
        segment(june(12, 31), daily("50")),
    )
    assert fees == ["6.67", "4.00", "31.67"]  # 20/3; 120/30; 50 less 11/30 of it (18.33)


def test_by_days_a_pause_is_neither_charged_nor_allowed() -> None:
    terms = daily("30", item("dns_zones", "6", per_unit("1")))
    found = quote_of(
        segment(june(1, 6), terms, STORAGE, dns_zones="2"),
        segment(june(26, 31), terms, STORAGE, dns_zones="2"),
    )
    assert amounts(found) == [
        ("base_fee", "studio", "10.00"),
        ("addon", "storage_50gb", "2.50"),
        ("usage", "dns_zones", "2.00"),
        ("usage", "spaces_gb_month", "0.00"),
    ]
    assert line_of(found, LineType.USAGE, "dns_zones").included == Decimal(2)
    assert found.lines[0].days == (june(1, 6), june(26, 31))


def test_by_days_an_addon_counts_for_its_own_days() -> None:
    terms = daily("30")
    found = quote_of(segment(june(1, 11), terms), segment(june(11, 31), terms, STORAGE, spaces_gb_month="40"))
    assert amounts(found)[:2] == [("base_fee", "studio", "30.00"), ("addon", "storage_50gb", "5.00")]
    usage = found.lines[2]
    assert (usage.included, usage.overage) == (Decimal("33.333333"), Decimal("6.666667"))


def test_by_days_an_addon_that_was_attached_again_has_each_price_for_its_own_days() -> None:
    dearer, twice = addon("storage_50gb", "spaces_gb_month", "50", "15"), daily("30")
    found = quote_of(segment(june(1, 11), twice, STORAGE), segment(june(11, 31), twice, dearer))
    # 10 of 30 days at 7.50, 20 of 30 at 15.
    addons = [line for line in found.lines if line.type == LineType.ADDON]
    assert [(line.price, line.amount) for line in addons] == [
        (aud("7.50"), aud("2.50")),
        (aud("15"), aud("10")),
    ]


def test_by_days_shares_of_an_allowance_sum_to_the_allowance() -> None:
    period = month_of(date(2026, 7, 1))
    terms = [
        daily("1", item("dns_zones", "5", per_unit(price)), version=n) for n, price in enumerate("1231", 1)
    ]
    cuts = period.split(date(2026, 7, 8), date(2026, 7, 15), date(2026, 7, 24))
    found = quote_of(*(segment(days, own) for days, own in zip(cuts, terms, strict=True)), period=period)
    shares = [line.included for line in found.lines if line.type == LineType.USAGE]
    # The first and the last version charge the same: one line for both.
    assert shares == [Decimal("2.419355"), Decimal("1.129033"), Decimal("1.451612")]
    assert sum(share for share in shares if share) == Decimal(5)


def test_by_days_what_is_used_under_the_same_terms_is_rated_once() -> None:
    item_of = {
        version: item("dns_zones", included, per_unit("1"), minimum="10")
        for version, included in (
            (1, "30"),
            (2, "60"),
        )
    }
    found = quote_of(
        segment(june(1, 16), daily("20", item_of[1], version=1), dns_zones="50"),
        segment(june(16, 31), daily("30", item_of[2], version=2), dns_zones="1"),
    )
    assert amounts(found)[2:] == [("usage", "dns_zones", "6.00"), ("minimum", "dns_zones", "4.00")]
    assert found.lines[2].versions == ("studio/1", "studio/2")


def test_by_days_what_is_used_under_other_terms_is_rated_apart() -> None:
    cheap, dear = item("dns_zones", "30", per_unit("1")), item("dns_zones", "30", per_unit("2"))
    found = quote_of(
        segment(june(1, 16), daily("20", cheap, version=1), dns_zones="16"),
        segment(june(16, 31), daily("20", dear, version=2), dns_zones="16"),
    )
    assert amounts(found)[2:] == [("usage", "dns_zones", "1.00"), ("usage", "dns_zones", "2.00")]


def test_by_days_caps_minimums_and_maximums_are_those_of_a_whole_period() -> None:
    limited = item("bandwidth_gb", "30", per_unit("1"), cap="100", minimum="40", maximum="60")
    one_day = june(30, 31)
    for used, expected in (
        ("0", [("usage", "0"), ("minimum", "40")]),
        ("51", [("usage", "50.00"), ("", "")]),
        ("1000", [("usage", "99.00"), ("maximum", "-39.00")]),
    ):
        found = quote_of(segment(one_day, daily("30", limited), bandwidth_gb=used))
        shown = [(line.type.value, line.amount) for line in found.lines[1:]]
        assert shown == [(name, aud(text)) for name, text in expected if name]


@pytest.mark.parametrize(
    ("first", "second", "fees"),
    [
        (plan("50"), daily("60", version=2), ["60.00"]),  # began in full: the upgrade is at once
        (plan("60"), daily("50", version=2), ["60.00"]),
        (daily("50"), plan("60", version=2), ["25.00", "30.00"]),  # began by days
    ],
)
def test_a_period_keeps_the_rule_that_it_began_under(first: object, second: object, fees: list[str]) -> None:
    assert base_fees(segment(june(1, 16), first), segment(june(16, 31), second)) == fees  # type: ignore[arg-type]


def _two_prices(used: tuple[str, str], prices: tuple[PriceModel, PriceModel], **limits: str) -> Quote:
    """A month whose terms for bandwidth change on the 16th in their price alone."""
    first, second = (item("bandwidth_gb", "0", price, **limits) for price in prices)
    return quote_of(
        segment(june(1, 16), daily("30", first, version=1), bandwidth_gb=used[0]),
        segment(june(16, 31), daily("30", second, version=2), bandwidth_gb=used[1]),
    )


@pytest.mark.parametrize(
    ("used", "limits", "charged"),
    [
        (("0", "0"), {"minimum": "50"}, ["0.00", "0.00", "50.00"]),
        (("10", "10"), {"minimum": "50"}, ["10.00", "20.00", "20.00"]),
        (("40", "10"), {"minimum": "50"}, ["40.00", "20.00"]),
        (("50", "20"), {"maximum": "60"}, ["50.00", "40.00", "-30.00"]),
        (("100", "100"), {"cap": "100"}, ["100.00", "0.00"]),
        (("30", "100"), {"cap": "100"}, ["30.00", "140.00"]),
    ],
)
def test_a_change_of_price_leaves_a_cap_a_minimum_and_a_maximum_once(
    used: tuple[str, str], limits: dict[str, str], charged: list[str]
) -> None:
    found = _two_prices(used, (per_unit("1"), per_unit("2")), **limits)
    assert [amount for _, _, amount in amounts(found)[2:]] == charged


@pytest.mark.parametrize(
    ("used", "charged"),
    [
        (("0", "0"), ["0.00", "7.00"]),
        (("3", "0"), ["8.00", "0.00"]),
        (("0", "3"), ["0.00", "10.00"]),
    ],
)
def test_a_change_of_price_leaves_the_flat_fee_of_an_unused_kind_once(
    used: tuple[str, str], charged: list[str]
) -> None:
    prices = (graduated((None, "1", "5")), graduated((None, "1", "7")))
    assert [amount for _, _, amount in amounts(_two_prices(used, prices))[2:]] == charged
