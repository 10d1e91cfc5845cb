"""Exact money: sums, rounding, and how it is shown."""

from decimal import Decimal, Inexact
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcadia_cloud.kernel.money import (
    CurrencyMismatch,
    Money,
    exact_text,
    format_change,
    format_money,
    sum_money,
)

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=10)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded", "cents"),
    [
        ("4.99968", "USD", "5.00", 500),
        ("0.005", "USD", "0.01", 1),
        ("-0.005", "USD", "-0.01", -1),
        ("0.00499", "USD", "0.00", 0),
        ("2521.92", "EUR", "2521.92", 252192),
        ("99.5", "JPY", "100", 100),
        ("1.0005", "KWD", "1.001", 1001),
        ("1.00005", "CLF", "1.0001", 10001),
        ("12345678901234567890123456789.005", "USD", "12345678901234567890123456789.01", None),
    ],
)
def test_money_is_rounded_half_up_to_the_minor_unit(
    amount: str, currency: str, rounded: str, cents: int | None
) -> None:
    money = Money(Decimal(amount), currency)
    assert str(money.rounded().amount) == rounded
    if cents is not None:
        assert money.cents == cents
        assert Money.from_cents(cents, currency) == money.rounded()


def test_arithmetic_is_exact() -> None:
    assert usd("0.1") + usd("0.2") == usd("0.3")
    assert usd("1") - usd("1.0000000001") == usd("-0.0000000001")
    assert usd("0.00744").times(Decimal(672)) == usd("4.99968")
    assert usd("2.50").times(3) == usd("7.50")
    assert -usd("2.50") == usd("-2.5")
    assert abs(usd("-2.50")) == usd("2.50")
    assert str((-usd("0")).amount) == "0"


def test_more_digits_than_the_default_context_has_are_kept_and_too_many_refused() -> None:
    long = usd("12345678901234567890.1234567891")
    assert (long + usd("0.0000000001")).amount == Decimal("12345678901234567890.1234567892")
    assert str(long.times(Decimal("1.1")).amount) == "13580246791358024679.13580246801"
    with pytest.raises(Inexact):
        usd("1E+60") + usd("1E-60")


@given(AMOUNTS, AMOUNTS)
def test_what_is_added_can_be_taken_away(first: Decimal, second: Decimal) -> None:
    a, b = Money(first, "USD"), Money(second, "USD")
    assert a + b - b == a
    assert sum_money([a, b]) == b + a
    assert (a < b) == (first < second)


def test_amounts_are_compared_and_hashed_by_value() -> None:
    assert usd("1.0") == usd("1.00")
    assert len({usd("1.0"), usd("1.00")}) == 1
    assert usd("1") != Money(Decimal(1), "EUR")
    assert usd("1") < usd("2") <= usd("2.0")
    assert max(usd("1"), usd("3"), usd("2")) == usd("3")


def test_two_currencies_are_refused() -> None:
    euro = Money(Decimal(1), "EUR")
    with pytest.raises(CurrencyMismatch):
        usd("1") + euro
    with pytest.raises(CurrencyMismatch):
        usd("1") - euro
    with pytest.raises(CurrencyMismatch):
        assert usd("1") < euro
    with pytest.raises(CurrencyMismatch):
        sum_money([usd("1"), euro])
    with pytest.raises(CurrencyMismatch):
        sum_money([usd("1")], "EUR")


def test_a_sum_of_nothing_needs_a_currency() -> None:
    assert sum_money([], "USD") == usd("0")
    assert sum_money(iter([usd("1.10"), usd("2.20")])) == usd("3.30")
    with pytest.raises(ValueError, match="needs a currency"):
        sum_money([])


@pytest.mark.parametrize("amount", [1.5, 1, "1.5", None])
def test_an_amount_is_a_decimal(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(amount, "USD")


def test_no_float_gets_in_elsewhere() -> None:
    anything: Any = 1.5
    with pytest.raises(TypeError):
        usd("1").times(anything)
    with pytest.raises(TypeError):
        usd("1") + anything
    with pytest.raises(TypeError):
        assert usd("1") > anything
    with pytest.raises(TypeError):
        Money.from_cents(anything, "USD")


@pytest.mark.parametrize(
    ("amount", "currency"), [("NaN", "USD"), ("Infinity", "USD"), ("1", "usd"), ("1", "$"), ("1", "")]
)
def test_nonsense_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"finite|ISO 4217"):
        Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded", "exact"),
    [
        ("1779.55", "USD", "$1,779.55", "$1,779.55"),
        ("-1779.55", "USD", "-$1,779.55", "-$1,779.55"),
        ("0.00744", "USD", "$0.01", "$0.00744"),
        ("-0.001", "USD", "$0.00", "-$0.001"),
        ("24.5000000000", "USD", "$24.50", "$24.50"),
        ("0", "USD", "$0.00", "$0.00"),
        ("1234567.8", "EUR", "EUR 1,234,567.80", "EUR 1,234,567.80"),
        ("-1234.5", "JPY", "-JPY 1,235", "-JPY 1,234.5"),
        ("1234", "JPY", "JPY 1,234", "JPY 1,234"),
        ("1", "KWD", "KWD 1.000", "KWD 1.000"),
        ("1E+3", "USD", "$1,000.00", "$1,000.00"),
    ],
)
def test_how_money_is_shown(amount: str, currency: str, rounded: str, exact: str) -> None:
    money = Money(Decimal(amount), currency)
    assert format_money(money) == rounded
    assert format_money(money, exact=True) == str(money) == exact


def test_an_unknown_amount_is_a_dash() -> None:
    changes = [format_change(Money.from_cents(cents, "USD")) for cents in (2400, -600, 0)]
    assert changes == ["+$24.00", "-$6.00", "no change"]
    assert format_money(None) == format_money(Money.from_cents(None, "USD")) == "-"
    assert format_money(Money.from_cents(252192, "USD")) == "$2,521.92"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("23.44", "23.44"),
        ("23.4", "23.40"),
        ("23", "23.00"),
        ("0.0074400000", "0.00744"),
        ("-1E+2", "-100.00"),
    ],
)
def test_exact_text_has_at_least_two_places(amount: str, text: str) -> None:
    assert exact_text(Decimal(amount)) == text
