"""The price model `package`: a package that is started is charged in full."""

from decimal import Decimal
from typing import Final

from catalog.rating.exact import divide_up, multiply
from catalog.values.lines import Step
from catalog.values.terms import PackagePrice

_FORMULA: Final = "ceil(quantity / unit) * price"


def rate_package(quantity: Decimal, model: PackagePrice) -> tuple[Step, ...]:
    """Charge every package that the quantity starts; a quantity of 0 starts none."""
    price = model.price.amount
    amount = multiply(divide_up(quantity, model.unit), price)
    inputs = {"quantity": quantity, "price": price, "unit": model.unit}
    return (Step("package", _FORMULA, inputs, amount),)
