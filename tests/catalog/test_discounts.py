"""Discounts, taxes, rounding and currencies, by hand."""

from datetime import date
from decimal import Decimal

import pytest

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from catalog.quote import quote
from catalog.values.lines import LineType
from catalog.values.terms import (
    Discount,
    ItemTerms,
    PerUnitPrice,
    PlanTerms,
    PriceBook,
    Proration,
    QuoteInputs,
    Segment,
    TaxTerms,
)
from tests.catalog.build import (
    JUNE,
    addon,
    amount_off,
    amounts,
    aud,
    daily,
    gst,
    item,
    june,
    line_of,
    per_unit,
    percent_off,
    plan,
    quote_of,
    resource_rate,
    segment,
)

STORAGE = addon("storage_50gb", "spaces_gb_month", "50", "7.50")
STUDIO = plan("50", item("dns_zones", "5", per_unit("1")), item("bandwidth_gb", "0", per_unit("0.10")))
FULL = segment(JUNE, STUDIO, STORAGE, dns_zones="7", bandwidth_gb="5")  # 50 + 7.50 + 2 + 0.50 = 60


@pytest.mark.parametrize(
    ("discount", "taken"),
    [
        (percent_off("10"), "-6.00"),
        (percent_off("100"), "-60.00"),
        (percent_off("10", scope="base"), "-5.00"),
        (percent_off("50", scope="dns_zones"), "-1.00"),
        (percent_off("0.01"), "-0.01"),  # 0.006
        (percent_off("33.333333"), "-20.00"),
        (amount_off("15"), "-15.00"),
        (amount_off("60"), "-60.00"),
        (amount_off("1000"), "-60.00"),  # larger than the bill
        (amount_off("15", scope="base"), "-15.00"),
        (amount_off("15", scope="dns_zones"), "-2.00"),  # no more than what it is given on
    ],
)
def test_a_discount_is_a_negative_line_of_its_own(discount: Discount, taken: str) -> None:
    found = quote_of(FULL, discounts=[discount])
    assert found.lines[-1].amount == aud(taken)
    assert found.total == aud("60") + aud(taken)


@pytest.mark.parametrize(
    ("discounts", "taken"),
    [
        ((percent_off("10"), amount_off("10")), ["-6.00", "-10.00"]),
        ((amount_off("10"), percent_off("10")), ["-10.00", "-5.00"]),
        ((percent_off("50"), percent_off("50")), ["-30.00", "-15.00"]),
        ((percent_off("100"), amount_off("5")), ["-60.00", "0.00"]),
        ((amount_off("45", scope="base"), percent_off("10")), ["-45.00", "-1.50"]),
        ((percent_off("10"), amount_off("50", scope="base")), ["-6.00", "-45.00"]),
    ],
)
def test_discounts_apply_in_the_order_in_which_they_were_given(
    discounts: tuple[Discount, ...], taken: list[str]
) -> None:
    found = quote_of(FULL, discounts=discounts)
    assert [line.amount for line in found.lines if line.type == LineType.DISCOUNT] == [aud(t) for t in taken]


def test_a_discount_comes_after_the_minimum_and_before_the_tax() -> None:
    terms = plan("50", item("dns_zones", "5", per_unit("1"), minimum="10"))
    found = quote_of(segment(JUNE, terms), discounts=[percent_off("10")], taxes=[gst()])
    assert amounts(found) == [
        ("base_fee", "studio", "50.00"),
        ("usage", "dns_zones", "0.00"),
        ("minimum", "dns_zones", "10.00"),
        ("discount", "10 percent", "-6.00"),
        ("tax", "GST", "5.40"),
    ]
    assert (found.subtotal, found.tax, found.total) == (aud("54"), aud("5.40"), aud("59.40"))


def test_a_discount_takes_from_a_usage_what_its_maximum_leaves() -> None:
    terms = plan("0", item("dns_zones", "0", per_unit("1"), maximum="10"))
    found = quote_of(segment(JUNE, terms, dns_zones="100"), discounts=[amount_off("50", scope="dns_zones")])
    assert amounts(found)[2:] == [
        ("maximum", "dns_zones", "-90.00"),
        ("discount", "50 off", "-10.00"),
    ]


def test_what_is_unpriced_has_nothing_to_take_from() -> None:
    found = quote_of(segment(JUNE, plan("5"), dns_zones="1"), discounts=[amount_off("9")])
    assert amounts(found)[-1] == ("discount", "9 off", "-5.00")
    assert found.total == aud("0")


@pytest.mark.parametrize(
    ("since", "until"), [(date(2026, 6, 30), None), (date(2026, 1, 1), date(2026, 6, 2))]
)
def test_without_proration_a_discount_of_a_day_counts_for_the_period(since: date, until: date | None) -> None:
    found = quote_of(FULL, discounts=[percent_off("10", since=since, until=until)])
    assert found.lines[-1].amount == aud("-6")


@pytest.mark.parametrize("discount", [
    percent_off("10", since=date(2026, 7, 1)),
    percent_off("10", until=date(2026, 6, 1)),
    percent_off("10", scope="llm_tokens"),
])  # fmt: skip
def test_a_discount_that_touches_nothing_has_no_line(discount: Discount) -> None:
    found = quote_of(FULL, discounts=[discount])
    assert [line for line in found.lines if line.type == LineType.DISCOUNT] == []


def test_by_days_a_discount_that_ends_in_mid_month_counts_for_its_days() -> None:
    terms = daily("50", item("dns_zones", "5", per_unit("1")))
    half = date(2026, 6, 16)
    found = quote_of(
        segment(JUNE, terms, dns_zones="15"),
        discounts=[percent_off("10", until=half), amount_off("9", until=half)],
    )
    # Of 60: 10 % for 15 of 30 days, then 9.00 for 15 of 30 days.
    assert [line.amount for line in found.lines[-2:]] == [aud("-3.00"), aud("-4.50")]
    assert str(found.lines[-2].charges[0]) == (
        "-(left * percent * days_valid / (days * 100)) = -(50 * 10 * 15 / (30 * 100)) = -2.5"
    )


def test_by_days_a_discount_takes_from_the_versions_of_its_days() -> None:
    found = quote_of(
        segment(june(1, 16), daily("60", name="pro")),
        segment(june(16, 31), daily("30")),
        discounts=[percent_off("50", since=date(2026, 6, 16))],
    )
    assert amounts(found)[2:] == [("discount", "50 percent", "-7.50")]


def test_by_days_an_amount_counts_for_the_days_that_are_charged() -> None:
    found = quote_of(segment(june(11, 21), daily("30")), discounts=[amount_off("6")])
    assert amounts(found) == [("base_fee", "studio", "10.00"), ("discount", "6 off", "-2.00")]


def test_a_discount_of_thirds_is_rounded_once() -> None:
    terms = daily("0.10", name="a")
    three = [addon(code, "dns_zones", "0", "0.10") for code in ("x", "y")]
    found = quote_of(
        segment(JUNE, terms, *three),
        discounts=[percent_off("5", until=date(2026, 6, 11)), percent_off("100")],
    )
    # Three parts of 0.10 x 5 % x 10 / 30 are exactly half a cent together.
    assert [line.amount for line in found.lines if line.type == LineType.DISCOUNT] == [
        aud("-0.01"),
        aud("-0.29"),
    ]
    assert found.total == aud("0")


@pytest.mark.parametrize(
    ("subtotal", "percent", "tax"),
    [
        ("50.00", "10", "5.00"),
        ("50.04", "10", "5.00"),
        ("50.05", "10", "5.01"),  # half a cent
        ("0.05", "10", "0.01"),
        ("0", "10", "0"),
        ("99.99", "0", "0"),
    ],
)
def test_a_tax_is_computed_on_the_total_and_rounded_half_up(subtotal: str, percent: str, tax: str) -> None:
    found = quote_of(segment(JUNE, plan(subtotal)), taxes=[gst(percent)])
    assert (found.tax, found.total) == (aud(tax), aud(subtotal) + aud(tax))


def test_the_tax_of_the_last_day_counts() -> None:
    rates = [gst("10", until=date(2026, 6, 30)), gst("12", since=date(2026, 6, 30))]
    assert quote_of(segment(JUNE, plan("50")), taxes=rates).tax == aud("6")


def test_each_rate_of_tax_has_a_line_and_those_of_other_currencies_none() -> None:
    levy = TaxTerms(code="levy", currency="AUD", percent=Decimal("1.5"), valid_from=date(2020, 1, 1))
    sales = TaxTerms(code="sales", currency="USD", percent=Decimal(9), valid_from=date(2020, 1, 1))
    found = quote_of(segment(JUNE, plan("50")), taxes=[levy, sales, gst()])
    assert amounts(found)[1:] == [("tax", "GST", "5.00"), ("tax", "levy", "0.75")]


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("1", "0.004999", "0.00"),
        ("1", "0.005", "0.01"),
        ("5", "0.001", "0.01"),
        ("672", "0.00744", "5.00"),
        ("0.333333", "0.03", "0.01"),
        ("123456789.123456", "0.000001", "123.46"),
        ("999999999999", "0.05", "49999999999.95"),
    ],
)
def test_a_line_is_rounded_half_up_once(quantity: str, price: str, amount: str) -> None:
    found = quote_of(segment(JUNE, plan("0"), api_calls=quantity), rates=[resource_rate("api_calls", price)])
    assert line_of(found, LineType.USAGE).amount == aud(amount)


@pytest.mark.parametrize(
    ("currency", "base", "price", "discount", "fee", "usage", "taken", "tax"),
    [
        ("JPY", "5000", "0.5", "10", "2500", "2", "-250", "225"),  # 1.5 yen up to 2; 250.2; 225.2
        ("BHD", "5.001", "0.0005", "10", "2.501", "0.002", "-0.250", "0.225"),
    ],
)
def test_minor_units_are_those_of_the_currency(
    currency: str, base: str, price: str, discount: str, fee: str, usage: str, taken: str, tax: str
) -> None:
    def money(amount: str) -> Money:
        return Money(Decimal(amount), currency)

    kinds = ItemTerms(kind="api_calls", price=PerUnitPrice(price=money(price)))
    terms = PlanTerms(
        plan="studio", version=1, base_price=money(base), proration=Proration.DAILY, items=(kinds,)
    )
    found = quote(
        QuoteInputs(
            period=JUNE,
            currency=currency,
            segments=(Segment(days=june(1, 16), terms=terms, usage={"api_calls": Decimal(3)}),),
            book=PriceBook(
                tax_rates=(
                    TaxTerms(code="VAT", currency=currency, percent=Decimal(10), valid_from=date(2020, 1, 1)),
                )
            ),
            discounts=(Discount(code="ten", percent=Decimal(discount), valid_from=date(2020, 1, 1)),),
        )
    )
    assert [line.amount for line in found.lines] == [money(fee), money(usage), money(taken), money(tax)]


def test_a_year_is_a_period_too() -> None:
    year = Period(date(2026, 1, 1), date(2027, 1, 1))
    found = quote_of(segment(month_of(date(2026, 7, 1)), daily("365")), period=year)
    assert amounts(found) == [("base_fee", "studio", "31.00")]
