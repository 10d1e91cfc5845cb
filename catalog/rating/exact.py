"""Decimal arithmetic that never rounds in silence, whatever context the caller's thread is in."""

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from typing import Final

from arcadia_cloud.kernel.money import Money, minor_digits
from catalog.values.lines import QuoteLine, Step

_DIGITS: Final = 100
_FAULTS: Final = (InvalidOperation, DivisionByZero, Overflow)
_EXACT: Final = Context(prec=_DIGITS, traps=[*_FAULTS, Inexact])
# Within the values' bounds no quotient comes nearer to half a cent than 100 digits can see, but half a cent.
_QUOTIENT: Final = Context(prec=_DIGITS, rounding=ROUND_HALF_UP, traps=[*_FAULTS])

add: Final = _EXACT.add
subtract: Final = _EXACT.subtract
multiply: Final = _EXACT.multiply
negate: Final = _EXACT.minus
divide: Final = _QUOTIENT.divide

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up exactly; nothing is 0. A sum of quotients is rounded at its 100th digit."""
    found = ZERO
    for amount in amounts:
        found = _QUOTIENT.add(found, amount)
    return found


def sum_results(steps: Sequence[Step]) -> Decimal:
    """Add up what the steps came to; most have one, which is then taken as it is."""
    return steps[0].result if len(steps) == 1 else total(step.result for step in steps)


def divide_up(quantity: Decimal, unit: Decimal) -> Decimal:
    """Count the units that are started: the quotient, rounded up to a whole number."""
    whole = _EXACT.divide_int(quantity, unit)
    return whole if multiply(whole, unit) == quantity else add(whole, Decimal(1))


@lru_cache(maxsize=64)
def rounding_of(currency: str) -> Callable[[Decimal], Money]:
    """Return the function that rounds half up to the currency's minor unit: the one rounding of a line.

    It is asked for once a quote: a quote rounds so often that looking the unit up each time would be felt.
    """
    unit = Decimal(1).scaleb(-minor_digits(currency))
    nothing = Money(ZERO, currency).rounded()
    quantize, with_amount = _QUOTIENT.quantize, nothing.with_amount

    def round_amount(amount: Decimal) -> Money:
        return with_amount(quantize(amount, unit)) if amount else nothing

    return round_amount


def sum_lines(lines: Iterable[QuoteLine]) -> Decimal:
    """Add up lines that are all in the quote's currency; the check of each would cost more than the sum."""
    found = ZERO
    for line in lines:
        found = add(found, line.amount.amount)
    return found
