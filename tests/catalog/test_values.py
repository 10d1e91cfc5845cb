"""Refusals of a quote's values, and the order in which their parts stand."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest

from arcadia_cloud.kernel.money import CurrencyMismatch, Money
from catalog.values.terms import (
    Discount,
    GraduatedPrice,
    ItemTerms,
    PerUnitPrice,
    PlanTerms,
    PriceBook,
    Segment,
    Tier,
)
from tests.catalog.build import (
    JUNE,
    addon,
    amount_off,
    aud,
    graduated,
    gst,
    inputs_of,
    item,
    june,
    package,
    per_unit,
    percent_off,
    plan,
    resource_rate,
    segment,
    tiers,
    volume,
)

REFUSED: Final[dict[str, Callable[[], Any]]] = {
    "a negative usage": lambda: segment(JUNE, plan("5"), dns_zones="-0.000001"),
    "a usage that isn't finite": lambda: segment(JUNE, plan("5"), dns_zones="Infinity"),
    "a usage that is no number": lambda: segment(JUNE, plan("5"), dns_zones="NaN"),
    "a usage of seven places": lambda: segment(JUNE, plan("5"), dns_zones="0.0000001"),
    "a usage of 19 digits": lambda: segment(JUNE, plan("5"), dns_zones="1000000000000000000"),
    "a negative allowance": lambda: item("dns_zones", "-1"),
    "a negative cap": lambda: item("dns_zones", cap="-1"),
    "a negative price": lambda: per_unit("-0.01"),
    "a price of 13 places": lambda: per_unit("0.0000000000001"),
    "a price of 13 digits": lambda: per_unit("1000000000000"),
    "a unit of nothing": lambda: per_unit("1", "0"),
    "a package of nothing": lambda: package("1", "0"),
    "a base price of half cents": lambda: plan("5.005"),
    "a negative base price": lambda: plan("-5"),
    "a minimum over the maximum": lambda: item("dns_zones", minimum="2", maximum="1"),
    "a negative minimum": lambda: item("dns_zones", minimum="-1"),
    "a kind named as a scope": lambda: item("all"),
    "a kind without a name": lambda: item(""),
    "two items of a kind": lambda: plan("5", item("dns_zones"), item("dns_zones", "1")),
    "no tiers": lambda: GraduatedPrice(tiers=()),
    "a last tier with an end": lambda: graduated(("10", "1", "0")),
    "an open tier before the last": lambda: volume((None, "1", "0"), (None, "1", "0")),
    "tiers that don't rise": lambda: volume(("10", "1", "0"), ("10", "1", "0"), (None, "1", "0")),
    "a tier up to nothing": lambda: graduated(("0", "1", "0"), (None, "1", "0")),
    "a negative flat fee": lambda: tiers((None, "1", "-1")),
    "an add-on twice": lambda: segment(
        JUNE, plan("5"), addon("a", "dns_zones", "1", "1"), addon("a", "dns_zones", "2", "1")
    ),
    "a discount over 100 %": lambda: percent_off("100.000001"),
    "a discount of 0 %": lambda: percent_off("0"),
    "a negative discount": lambda: percent_off("-10"),
    "a negative amount off": lambda: amount_off("-10"),
    "a discount of half cents": lambda: amount_off("0.005"),
    "a discount of neither": lambda: Discount(code="none", valid_from=date(2026, 1, 1)),
    "a discount of both": lambda: Discount(
        code="both", percent=Decimal(1), amount=aud("1"), valid_from=date(2026, 1, 1)
    ),
    "terms that end before they begin": lambda: gst(since=date(2026, 2, 1), until=date(2026, 2, 1)),
    "two prices on one day": lambda: PriceBook(
        resource_rates=(resource_rate("a", "1"), resource_rate("a", "2", since=date(2026, 1, 1)))
    ),
    "two rates of a tax on one day": lambda: PriceBook(
        tax_rates=(gst(until=date(2026, 1, 2)), gst("12", since=date(2026, 1, 1)))
    ),
    "a segment outside the period": lambda: inputs_of(segment(june(1, 31), plan("5")), period=june(2, 31)),
    "two segments on one day": lambda: inputs_of(
        segment(june(1, 11), plan("5")), segment(june(10, 31), plan("5"))
    ),
    "two sets of terms for one version": lambda: inputs_of(
        segment(june(1, 11), plan("5")), segment(june(11, 31), plan("6"))
    ),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_values_refuse(refused: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        REFUSED[refused]()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Segment(days=JUNE, terms=plan("5"), usage={"dns_zones": 1.5}),  # type: ignore[dict-item]
        lambda: Segment(days=JUNE, terms=plan("5"), usage={"dns_zones": 1}),  # type: ignore[dict-item]
        lambda: ItemTerms(kind="dns_zones", included=0.5),  # type: ignore[arg-type]
        lambda: PerUnitPrice(unit=1.0, price=aud("1")),  # type: ignore[arg-type]
        lambda: Tier(up_to=2.5, unit_price=aud("1"), flat_fee=aud("1")),  # type: ignore[arg-type]
        lambda: Money(0.1, "AUD"),  # type: ignore[arg-type]
    ],
)
def test_a_number_that_is_no_decimal_is_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        build()


def test_a_plan_in_two_currencies_is_refused() -> None:
    price = PerUnitPrice(price=Money(Decimal(1), "USD"))
    with pytest.raises(CurrencyMismatch):
        PlanTerms(
            plan="studio", version=1, base_price=aud("5"), items=(ItemTerms(kind="dns_zones", price=price),)
        )


def test_equal_values_are_equal_whatever_order_they_were_given_in() -> None:
    items = [item("dns_zones", "5"), item("bandwidth_gb", "1")]
    addons = [addon("b", "dns_zones", "1", "1"), addon("a", "dns_zones", "1", "1")]
    rates = [resource_rate("b", "1"), resource_rate("a", "1")]
    one = inputs_of(segment(JUNE, plan("5", *items), *addons), rates=rates)
    other = inputs_of(segment(JUNE, plan("5", *items[::-1]), *addons[::-1]), rates=rates[::-1])
    assert one == other


def test_the_last_day_of_dated_terms_is_the_one_before_their_end() -> None:
    rate = resource_rate("a", "1", since=date(2026, 1, 1), until=date(2026, 2, 1))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [rate.is_in_force(day) for day in days] == [False, True, True, False]
