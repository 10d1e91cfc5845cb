"""Price models by tables: figures computed by hand, and examples that others publish for the same rules.

Their sources: Lago's guide to charge models (graduated, volume) and its specs of the three; OpenMeter's
tests of its graduated, volume and package prices. Lago charges no flat fee for a quantity of 0; OpenMeter
does, as here.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

import pytest

from catalog.rating.graduated import rate_graduated
from catalog.rating.package import rate_package
from catalog.rating.per_unit import rate_per_unit
from catalog.rating.volume import rate_volume
from catalog.values.lines import Step
from tests.catalog.build import evaluate, graduated, package, per_unit, volume

Rows: TypeAlias = tuple[tuple[str | None, str, str], ...]


def charged(rate: Callable[[Decimal, Any], Sequence[Step]], quantity: str, model: object) -> Fraction:
    """Rate a quantity; each step's result is what its formula comes to."""
    steps = rate(Decimal(quantity), model)
    for step in steps:
        assert evaluate(step) == Fraction(step.result)
    return sum((Fraction(step.result) for step in steps), Fraction(0))


@pytest.mark.parametrize(
    ("price", "unit", "quantity", "amount"),
    [
        ("0.04", "1", "0", "0"),
        ("0.04", "1", "1", "0.04"),
        ("0.04", "1", "12.5", "0.50"),
        ("0.04", "1", "0.000001", "0.00000004"),
        ("1.50", "100", "1", "0.015"),
        ("1.50", "100", "150", "2.25"),
        ("1", "8", "1", "0.125"),
        ("0.000002", "1", "1234567", "2.469134"),
        ("999999999.99", "0.000001", "999999999999", "999999999989000000000010000"),
        ("0.001", "1", "100000", "100"),  # Zuplo, pricing models: per unit
    ],
)
def test_an_overage_per_unit_is_charged_pro_rata(price: str, unit: str, quantity: str, amount: str) -> None:
    assert charged(rate_per_unit, quantity, per_unit(price, unit)) == Fraction(amount)


@pytest.mark.parametrize(
    ("price", "unit", "quantity", "amount"),
    [
        ("5", "100", "0", "0"),
        ("5", "100", "0.000001", "5"),
        ("5", "100", "99.999999", "5"),
        ("5", "100", "100", "5"),
        ("5", "100", "100.000001", "10"),
        ("5", "100", "999999999999999999", "50000000000000000"),
        ("0.10", "0.3", "0.9", "0.30"),
        ("1", "10", "121", "13"),  # Lago, package_service_spec
        ("1", "10", "111", "12"),  # Lago, package_service_spec: 121 less 10 free units
        ("15", "10", "0", "0"),  # OpenMeter, pricepackage_test: the next five
        ("15", "10", "1", "15"),
        ("15", "10", "9", "15"),
        ("15", "10", "10", "15"),
        ("15", "10", "11", "30"),
    ],
)
def test_a_package_is_charged_once_started(price: str, unit: str, quantity: str, amount: str) -> None:
    assert charged(rate_package, quantity, package(price, unit)) == Fraction(amount)


BY_HAND: Final[Rows] = (("100", "1", "0"), ("200", "0.50", "3"), (None, "0.10", "0"))
LAGO_GUIDE: Final[Rows] = (("100", "1", "0"), ("200", "0.50", "0"), (None, "0.10", "0"))
LAGO_SPEC: Final[Rows] = (("10", "0.10", "0.02"), (None, "0.05", "0.03"))
OPENMETER: Final[Rows] = (("5", "0", "100"), ("10", "0", "50"), ("15", "10", "0"), (None, "5", "0"))
AUTUMN: Final[Rows] = (("1000", "0.01", "0"), ("10000", "0.008", "0"), (None, "0.005", "0"))


@pytest.mark.parametrize(
    ("rows", "quantity", "amount"),
    [
        (BY_HAND, "0", "0"),
        (BY_HAND, "0.5", "0.5"),
        (BY_HAND, "99.999999", "99.999999"),
        (BY_HAND, "100", "100"),  # the bound is the first tier's: the second one's fee isn't due
        (BY_HAND, "100.000001", "103.0000005"),
        (BY_HAND, "200", "153"),
        (BY_HAND, "200.000001", "153.0000001"),
        (BY_HAND, "1000000000000", "100000000133"),
        ((("10", "2", "7"), (None, "1", "0")), "0", "7"),  # the first tier's flat fee, with no usage
        (((None, "0.25", "1"),), "4", "2"),  # one tier alone
        (LAGO_GUIDE, "250", "155"),  # the guide's prices: 100 + 50 + 5
        (LAGO_SPEC, "1", "0.12"),
        (LAGO_SPEC, "10", "1.02"),
        (LAGO_SPEC, "11", "1.10"),
        (LAGO_SPEC, "12", "1.15"),
        (OPENMETER, "0", "100"),  # the flat fee of the first tier is due regardless of usage
        (OPENMETER, "3", "100"),
        (OPENMETER, "5", "100"),
        (OPENMETER, "5.001", "150"),
        (OPENMETER, "7", "150"),
        (OPENMETER, "12", "170"),
        (OPENMETER, "22", "235"),
        (AUTUMN, "15000", "107"),  # Autumn's guide to graduated pricing
    ],
)
def test_each_part_of_a_quantity_is_charged_in_its_tier(rows: Rows, quantity: str, amount: str) -> None:
    assert charged(rate_graduated, quantity, graduated(*rows)) == Fraction(amount)


LAGO_VOLUME_GUIDE: Final[Rows] = (
    ("10000", "0.0010", "10"),
    ("50000", "0.0008", "10"),
    ("100000", "0.0006", "10"),
    (None, "0.0004", "10"),
)
LAGO_VOLUME_SPEC: Final[Rows] = (("100", "2", "10"), ("200", "1", "0"), (None, "0.5", "50"))
OPENMETER_VOLUME: Final[Rows] = (("5", "0", "100"), ("10", "0", "150"), ("15", "10", "0"), (None, "5", "0"))


@pytest.mark.parametrize(
    ("rows", "quantity", "amount"),
    [
        (BY_HAND, "0", "0"),
        (BY_HAND, "100", "100"),
        (BY_HAND, "100.000001", "53.0000005"),  # more may cost less
        (BY_HAND, "200", "103"),
        (BY_HAND, "201", "20.1"),
        ((("10", "2", "7"), (None, "1", "0")), "0", "7"),
        (LAGO_VOLUME_GUIDE, "65000", "49"),
        (LAGO_VOLUME_SPEC, "1", "12"),
        (LAGO_VOLUME_SPEC, "100", "210"),
        (LAGO_VOLUME_SPEC, "101", "101"),
        (LAGO_VOLUME_SPEC, "200", "200"),
        (LAGO_VOLUME_SPEC, "300", "200"),
        (OPENMETER_VOLUME, "0", "100"),
        (OPENMETER_VOLUME, "3", "100"),
        (OPENMETER_VOLUME, "5", "100"),
        (OPENMETER_VOLUME, "6", "150"),
        (OPENMETER_VOLUME, "14", "140"),
        (OPENMETER_VOLUME, "15", "150"),
        (OPENMETER_VOLUME, "16", "80"),
        (OPENMETER_VOLUME, "100", "500"),
    ],
)
def test_all_of_a_quantity_is_charged_in_the_tier_it_ends_in(rows: Rows, quantity: str, amount: str) -> None:
    assert charged(rate_volume, quantity, volume(*rows)) == Fraction(amount)


def test_a_tier_is_explained_by_its_bounds_and_prices() -> None:
    first, second = rate_graduated(Decimal(150), graduated(*BY_HAND))
    assert str(first) == "(up_to - above) * unit_price + flat_fee = (100 - 0) * 1 + 0 = 100"
    assert str(second) == "(up_to - above) * unit_price + flat_fee = (150 - 100) * 0.5 + 3 = 28"


def test_a_package_is_explained_as_it_was_counted() -> None:
    (step,) = rate_package(Decimal(121), package("1", "10"))
    assert str(step) == "ceil(quantity / unit) * price = ceil(121 / 10) * 1 = 13"
