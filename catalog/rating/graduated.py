"""The price model `graduated`: each part of a quantity has the price of its own tier."""

from decimal import Decimal
from typing import Final

from catalog.rating.exact import ZERO, add, multiply, subtract
from catalog.values.lines import Step
from catalog.values.terms import GraduatedPrice

_FORMULA: Final = "(up_to - above) * unit_price + flat_fee"


def rate_graduated(quantity: Decimal, model: GraduatedPrice) -> tuple[Step, ...]:
    """Charge each part of a quantity at the price of the tier that it falls into, one step a tier.

    A tier's flat fee is due once the tier is entered; the first tier's also for a quantity of 0.
    """
    charges: list[Step] = []
    lower = ZERO
    for tier in model.tiers:
        upper = quantity if tier.up_to is None else min(quantity, tier.up_to)  # `up_to` is inclusive
        unit_price, flat_fee = tier.unit_price.amount, tier.flat_fee.amount
        amount = add(multiply(subtract(upper, lower), unit_price), flat_fee)
        inputs = {"above": lower, "up_to": upper, "unit_price": unit_price, "flat_fee": flat_fee}
        charges.append(Step("graduated", _FORMULA, inputs, amount))
        if upper == quantity:
            break
        lower = upper
    return tuple(charges)
