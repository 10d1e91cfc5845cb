"""The price model `volume`: the tier that a quantity ends in prices all of it."""

from decimal import Decimal
from typing import Final

from catalog.rating.exact import add, multiply
from catalog.values.lines import Step
from catalog.values.terms import VolumePrice

_FORMULA: Final = "quantity * unit_price + flat_fee"


def rate_volume(quantity: Decimal, model: VolumePrice) -> tuple[Step, ...]:
    """Charge the whole quantity at the price of the tier that it ends in, and that tier's flat fee.

    A quantity of 0 ends in the first tier. More may cost less: the price falls for all of it.
    """
    tier = next(tier for tier in model.tiers if tier.up_to is None or quantity <= tier.up_to)
    unit_price, flat_fee = tier.unit_price.amount, tier.flat_fee.amount
    amount = add(multiply(quantity, unit_price), flat_fee)
    inputs = {"quantity": quantity, "unit_price": unit_price, "flat_fee": flat_fee}
    return (Step("volume", _FORMULA, inputs, amount),)
