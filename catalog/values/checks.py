"""The bounds of quantities and prices, and the refusals of values outside them."""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from itertools import pairwise
from typing import Final

from arcadia_cloud.kernel.money import CurrencyMismatch, Money

QUANTITY_PLACES: Final = 6  # as usage is kept
PRICE_PLACES: Final = 12
_NONE: Final = Decimal(0)

# The longest quantity and the longest price multiply to fewer digits than the exact arithmetic holds.
_BOUND: Final = Context(prec=24, traps=[InvalidOperation])
_QUANTITY_STEP: Final = Decimal(1).scaleb(-QUANTITY_PLACES)
_PRICE_STEP: Final = Decimal(1).scaleb(-PRICE_PLACES)


def require_quantity(name: str, quantity: Decimal, *, positive: bool = False) -> None:
    if not isinstance(quantity, Decimal):
        raise TypeError(f"{name} is a Decimal, not {type(quantity).__name__}")
    try:
        kept = quantity.quantize(_QUANTITY_STEP, context=_BOUND)
    except InvalidOperation:
        raise ValueError(f"{name} has too many digits: {quantity}") from None
    # The comparison comes first: an order of NaN would raise, and NaN equals nothing.
    if kept != quantity:
        raise ValueError(f"{name} has at most {QUANTITY_PLACES} decimal places: {quantity}")
    if kept < _NONE or (positive and not kept):
        raise ValueError(f"{name} is {'positive' if positive else 'not negative'}: {quantity}")


def require_price(name: str, price: Money) -> None:
    try:
        kept = price.amount.quantize(_PRICE_STEP, context=_BOUND)
    except InvalidOperation:
        raise ValueError(f"{name} has too many digits: {price}") from None
    if kept != price.amount or kept < _NONE:
        raise ValueError(f"{name} isn't negative and has at most {PRICE_PLACES} decimal places: {price}")


def require_minor_units(name: str, price: Money) -> None:
    require_price(name, price)
    if price.rounded() != price:
        raise ValueError(f"{name} is in whole minor units of its currency: {price}")


def require_currency(currency: str, amounts: Iterable[Money]) -> None:
    for amount in amounts:
        if amount.currency != currency:
            raise CurrencyMismatch(f"{currency} and {amount.currency} don't go together")


def require_once(name: str, codes: Iterable[str]) -> None:
    found = list(codes)
    for code, next_code in pairwise(found):
        if code == next_code:
            raise ValueError(f"{name} {code} twice")
