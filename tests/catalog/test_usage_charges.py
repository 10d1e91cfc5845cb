"""Allowances, hard caps, minimum and maximum spend, prices outside of plans, and what has none."""

from datetime import date
from decimal import Decimal

import pytest

from arcadia_cloud.kernel.money import CurrencyMismatch, Money
from catalog.quote import quote
from catalog.values.lines import LineType, QuoteWarning, WarningCode
from catalog.values.terms import PerUnitPrice, PriceBook, QuoteInputs, ResourceRate
from tests.catalog.build import (
    JUNE,
    addon,
    amounts,
    aud,
    graduated,
    inputs_of,
    item,
    june,
    line_of,
    package,
    per_unit,
    plan,
    quote_of,
    resource_rate,
    segment,
    volume,
)


@pytest.mark.parametrize(
    ("used", "overage", "amount"),
    [
        ("0", "0", "0.00"),
        ("1487.999999", "0", "0.00"),
        ("1488", "0", "0.00"),
        ("1489", "1", "0.02"),
        ("1488.25", "0.25", "0.01"),  # 0.0050: half a cent rounds up
        ("1488.249999", "0.249999", "0.00"),
        ("2000", "512", "10.24"),
    ],
)
def test_the_allowance_comes_off_before_the_price(used: str, overage: str, amount: str) -> None:
    terms = plan("50", item("droplet_hours", "1488", per_unit("0.02")))
    line = line_of(quote_of(segment(JUNE, terms, droplet_hours=used)), LineType.USAGE)
    assert (line.used, line.included, line.overage) == (Decimal(used), Decimal(1488), Decimal(overage))
    assert (line.unit, line.price, line.amount) == (Decimal(1), aud("0.02"), aud(amount))


def test_free_units_come_off_before_the_tiers() -> None:
    terms = plan("0", item("bandwidth_gb", "1000", graduated(("100", "1", "0"), (None, "0.50", "0"))))
    line = line_of(quote_of(segment(JUNE, terms, bandwidth_gb="1150")), LineType.USAGE)
    assert line.amount == aud(
        "125"
    )  # 100 at 1.00 and 50 at 0.50, not a unit of it in the second tier for free


def test_an_addon_adds_to_the_allowance_and_says_so() -> None:
    terms = plan("50", item("spaces_gb_month", "250", per_unit("0.03")))
    storage = addon("storage_50gb", "spaces_gb_month", "50", "7.50")
    found = quote_of(segment(JUNE, terms, storage, spaces_gb_month="310"))
    line = line_of(found, LineType.USAGE)
    assert (line.included, line.overage, line.amount) == (Decimal(300), Decimal(10), aud("0.30"))
    assert [(step.source, step.result) for step in line.basis[:-1]] == [
        ("studio/1", Decimal(250)),
        ("storage_50gb", Decimal(50)),
    ]
    assert amounts(found)[:2] == [("base_fee", "studio", "50.00"), ("addon", "storage_50gb", "7.50")]


def test_an_addon_allows_a_kind_that_the_plan_lacks() -> None:
    tokens = addon("llm_tokens_1m", "llm_tokens", "1000000", "9")
    found = quote_of(
        segment(JUNE, plan("20"), tokens, llm_tokens="1500000"),
        rates=[resource_rate("llm_tokens", "4", "1000000")],
    )
    line = line_of(found, LineType.USAGE)
    assert (line.overage, line.amount) == (Decimal(500000), aud("2"))


@pytest.mark.parametrize(
    ("used", "overage", "amount", "flagged"),
    [
        ("150", "50", "50.00", False),
        ("200", "100", "100.00", False),  # at the cap
        ("200.000001", "100", "100.00", True),
        ("1000000", "100", "100.00", True),
    ],
)
def test_usage_over_the_cap_is_flagged_and_not_charged(
    used: str, overage: str, amount: str, flagged: bool
) -> None:
    terms = plan("0", item("bandwidth_gb", "100", per_unit("1"), cap="200"))
    found = quote_of(segment(JUNE, terms, bandwidth_gb=used))
    line = line_of(found, LineType.USAGE)
    assert (line.used, line.overage, line.amount) == (Decimal(used), Decimal(overage), aud(amount))
    assert found.warnings == ((QuoteWarning(WarningCode.OVER_CAP, "bandwidth_gb"),) if flagged else ())


def test_a_cap_under_the_allowance_leaves_nothing_to_charge() -> None:
    terms = plan("0", item("bandwidth_gb", "100", per_unit("1"), cap="50"))
    line = line_of(quote_of(segment(JUNE, terms, bandwidth_gb="500")), LineType.USAGE)
    assert (line.overage, line.amount) == (Decimal(0), aud("0"))


@pytest.mark.parametrize(
    ("used", "lines"),
    [
        ("0", [("usage", "0"), ("minimum", "10")]),
        ("4", [("usage", "8"), ("minimum", "2")]),
        ("5", [("usage", "10")]),
        ("12", [("usage", "24")]),
        ("12.5", [("usage", "25")]),
        ("13", [("usage", "26"), ("maximum", "-1")]),
        ("999999", [("usage", "1999998"), ("maximum", "-1999973")]),
    ],
)
def test_minimum_and_maximum_are_lines_of_their_own(used: str, lines: list[tuple[str, str]]) -> None:
    terms = plan("0", item("bandwidth_gb", "0", per_unit("2"), minimum="10", maximum="25"))
    found = quote_of(segment(JUNE, terms, bandwidth_gb=used))
    assert [(line.type, line.amount) for line in found.lines[1:]] == [
        (name, aud(text)) for name, text in lines
    ]


def test_a_minimum_is_met_to_the_cent_although_the_usage_was_rounded() -> None:
    terms = plan("0", item("bandwidth_gb", "0", per_unit("0.001"), minimum="10"))
    found = quote_of(segment(JUNE, terms, bandwidth_gb="4995"))  # 4.995, rounded to 5.00
    assert amounts(found)[1:] == [("usage", "bandwidth_gb", "5.00"), ("minimum", "bandwidth_gb", "5.00")]
    assert found.total == aud("10")


@pytest.mark.parametrize(
    ("price", "minimum", "maximum", "used", "total"),
    [
        # OpenMeter, pricevolumetiered_test: spends of 150 and 100 at least, of 100 and 125 at most.
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), "150", None, "0", "150"),
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), "150", None, "5", "150"),
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), "100", None, "5", "100"),
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), "100", None, "100", "500"),
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), None, "100", "5", "100"),
        (volume(("5", "0", "100"), ("10", "0", "150"), (None, "5", "0")), None, "125", "7", "125"),
        # OpenMeter, pricepackage_test.
        (package("15", "10"), "100", None, "0", "100"),
        (package("15", "10"), None, "100", "110", "100"),
    ],
)
def test_limits_of_spend_as_openmeter_has_them(
    price: object, minimum: str | None, maximum: str | None, used: str, total: str
) -> None:
    terms = plan("0", item("api_calls", "0", price, minimum=minimum, maximum=maximum))  # type: ignore[arg-type]
    assert quote_of(segment(JUNE, terms, api_calls=used)).total == aud(total)


def test_a_kind_without_any_price_is_named_and_not_free_in_silence() -> None:
    found = quote_of(segment(JUNE, plan("20", item("dns_zones", "5")), dns_zones="7", droplet_hours="3"))
    assert amounts(found)[1:] == [("unpriced", "dns_zones", "0.00"), ("unpriced", "droplet_hours", "0.00")]
    assert {(warning.code, warning.kind) for warning in found.warnings} == {
        (WarningCode.UNPRICED, "dns_zones"),
        (WarningCode.UNPRICED, "droplet_hours"),
    }
    assert line_of(found, LineType.UNPRICED, "dns_zones").overage == Decimal(2)


def test_what_an_allowance_covers_needs_no_price() -> None:
    found = quote_of(segment(JUNE, plan("20", item("dns_zones", "5")), dns_zones="5"))
    assert amounts(found)[1:] == [("usage", "dns_zones", "0.00")]
    assert not found.warnings


def test_a_plans_item_without_a_price_takes_the_resource_price() -> None:
    found = quote_of(
        segment(JUNE, plan("20", item("dns_zones", "5")), dns_zones="7"),
        rates=[resource_rate("dns_zones", "0.50")],
    )
    assert line_of(found, LineType.USAGE).amount == aud("1")


def test_a_plans_own_price_comes_before_the_resource_price() -> None:
    terms = plan("20", item("dns_zones", "5", per_unit("0.10")))
    found = quote_of(segment(JUNE, terms, dns_zones="7"), rates=[resource_rate("dns_zones", "0.50")])
    assert line_of(found, LineType.USAGE).amount == aud("0.20")


def test_a_resource_price_counts_from_its_first_day_on() -> None:
    rates = [
        resource_rate("volume_gb_month", "1", until=date(2026, 6, 16)),
        resource_rate("volume_gb_month", "2", since=date(2026, 6, 16)),
    ]
    found = quote_of(
        segment(june(1, 16), plan("20"), volume_gb_month="10"),
        segment(june(16, 31), plan("20"), volume_gb_month="10"),
        rates=rates,
    )
    assert amounts(found)[1:] == [
        ("usage", "volume_gb_month", "10.00"),
        ("usage", "volume_gb_month", "20.00"),
    ]
    assert not found.warnings


def test_a_resource_price_that_changes_within_the_usage_is_flagged() -> None:
    rates = [
        resource_rate("volume_gb_month", "1", until=date(2026, 6, 16)),
        resource_rate("volume_gb_month", "2", since=date(2026, 6, 16)),
    ]
    found = quote_of(segment(JUNE, plan("20"), volume_gb_month="10"), rates=rates)
    assert line_of(found, LineType.USAGE).amount == aud("10")
    assert found.warnings == (QuoteWarning(WarningCode.PRICE_CHANGE, "volume_gb_month"),)


def test_a_resource_price_of_another_currency_is_no_price() -> None:
    price = PerUnitPrice(price=Money(Decimal(1), "USD"))
    rate = ResourceRate(kind="dns_zones", price=price, valid_from=date(2020, 1, 1))
    inputs = QuoteInputs(
        period=JUNE,
        currency="AUD",
        segments=(segment(JUNE, plan("20"), dns_zones="1"),),
        book=PriceBook(resource_rates=(rate,)),
    )
    assert [line.type for line in quote(inputs).lines] == [LineType.BASE_FEE, LineType.UNPRICED]


def test_a_plan_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        QuoteInputs(period=JUNE, currency="USD", segments=(segment(JUNE, plan("20")),), book=PriceBook())


def test_each_item_has_a_line_even_without_usage() -> None:
    terms = plan("50", item("dns_zones", "5", per_unit("1")), item("bandwidth_gb", "2000", per_unit("0.01")))
    found = quote_of(segment(JUNE, terms))
    assert amounts(found) == [
        ("base_fee", "studio", "50.00"),
        ("usage", "bandwidth_gb", "0.00"),
        ("usage", "dns_zones", "0.00"),
    ]


def test_a_period_without_a_segment_costs_nothing() -> None:
    found = quote(inputs_of())
    assert (found.lines, found.total) == ((), aud("0"))
