"""Examples that others publish for the rules that we share, through the whole quote; those of single price
models stand in test_price_models, those of spend limits in test_usage_charges.

Read in November 2026 at getlago.com/docs/guide (plans/charges/charge-models/package, …/graduated, …/volume;
subscriptions/upgrades-downgrades), zuplo.com/docs/articles/monetization/pricing-models and
docs.useautumn.com/documentation/modelling-pricing (graduated-pricing, proration).
"""

from datetime import date
from typing import Final

import pytest

from arcadia_cloud.kernel.periods import Period, month_of
from catalog.values.lines import LineType
from catalog.values.terms import PriceModel
from tests.catalog.build import (
    JUNE,
    aud,
    daily,
    graduated,
    item,
    june,
    line_of,
    package,
    per_unit,
    plan,
    quote_of,
    segment,
    volume,
)

ZUPLO: Final = (("1000", "0.10", "0"), ("10000", "0.05", "0"), (None, "0.01", "0"))
AUTUMN: Final = (("1000", "0.01", "0"), ("10000", "0.008", "0"), (None, "0.005", "0"))
JANUARY: Final = month_of(date(2026, 1, 1))  # 31 days


@pytest.mark.parametrize(
    ("price", "included", "used", "amount"),
    [
        # Lago: the free units come off first, then a package is due once it is started.
        (package("5", "100"), "100", "201", "10.00"),
        (package("5", "100"), "100", "100", "0.00"),
        (package("5", "100"), "100", "101", "5.00"),
        # Lago: 100 at 1.00, 100 at 0.50, the rest at 0.10.
        (graduated(("100", "1", "0"), ("200", "0.50", "0"), (None, "0.10", "0")), "0", "200", "150.00"),
        # Lago: 65,000 calls in the third of four tiers, with its fixed fee.
        (
            volume(
                ("10000", "0.0010", "10"),
                ("50000", "0.0008", "10"),
                ("100000", "0.0006", "10"),
                (None, "0.0004", "10"),
            ),
            "0",
            "65000",
            "49.00",
        ),
        # Zuplo: the same tiers, graduated and by volume.
        (graduated(*ZUPLO), "0", "15000", "600.00"),
        (volume(*ZUPLO), "0", "15000", "150.00"),
        (per_unit("0.001"), "0", "100000", "100.00"),
        # Autumn: 1,000 at 0.01, 9,000 at 0.008, 5,000 at 0.005.
        (graduated(*AUTUMN), "0", "15000", "107.00"),
    ],
)
def test_a_published_example_of_usage_comes_to_the_same(
    price: PriceModel, included: str, used: str, amount: str
) -> None:
    found = quote_of(segment(JUNE, plan("0", item("calls", included, price)), calls=used))
    assert line_of(found, LineType.USAGE).amount == aud(amount)


def test_lagos_upgrade_in_mid_january_is_charged_by_the_days_of_each_plan() -> None:
    """From 100 a month to 200 on the 15th: 14 of 31 days of the one, 17 of the other."""
    on = date(2026, 1, 15)
    found = quote_of(
        segment(Period(JANUARY.start, on), daily("100", name="plan-a")),
        segment(Period(on, JANUARY.end), daily("200", name="plan-b")),
        period=JANUARY,
    )
    assert [line.amount for line in found.lines] == [aud("45.16"), aud("109.68")]


def test_autumns_upgrade_at_half_time_costs_half_of_the_difference_more() -> None:
    """From 20 a month to 50: 15 more than the 20 that were due without it."""
    found = quote_of(
        segment(june(1, 16), daily("20", name="plan-a")), segment(june(16, 31), daily("50", name="plan-b"))
    )
    assert found.total - aud("20") == aud("15")
