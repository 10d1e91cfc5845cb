"""The price model `per_unit`: an overage is charged pro rata of the unit."""

from decimal import Decimal
from typing import Final

from catalog.rating.exact import ONE, divide, multiply
from catalog.values.lines import Step
from catalog.values.terms import PerUnitPrice

_FORMULA: Final = "quantity * price / unit"


def rate_per_unit(quantity: Decimal, model: PerUnitPrice) -> tuple[Step, ...]:
    """Charge a quantity at the price of its unit, a part of a unit at that part of the price."""
    price, unit = model.price.amount, model.unit
    amount = multiply(quantity, price)
    if unit != ONE:  # a division to 100 digits costs more than all the rest
        amount = divide(amount, unit)
    inputs = {"quantity": quantity, "price": price, "unit": unit}
    return (Step("per_unit", _FORMULA, inputs, amount),)
