"""The division of an amount by weights, into parts that sum to it exactly."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from billing.values import DECIMAL_PLACES

_UNIT: Final = Decimal(1).scaleb(-DECIMAL_PLACES)


def spread_amount(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Divide `amount`, of at most ten decimal places, in proportion to the weights; a sum of 0 divides none.

    Each part is a multiple of the tenth decimal place; what is left over goes to the largest remainders, of
    equal ones to the first. A negative weight counts as 0. Raises ValueError where no weight is above 0.
    """
    scaled = [max(0, int(weight.scaleb(DECIMAL_PLACES))) for weight in weights]
    whole = sum(scaled)
    if not whole:
        raise ValueError("an amount is divided by weights of which one is above 0")
    sign, units = (-1 if amount < 0 else 1), abs(int(amount.scaleb(DECIMAL_PLACES)))
    # Integers: each division's remainder is exact, and so is the sum of the parts.
    divided = [divmod(units * weight, whole) for weight in scaled]
    left = units - sum(part for part, _ in divided)
    # The place decides between equals: the same inputs have the same parts.
    largest = sorted(range(len(divided)), key=lambda place: (-divided[place][1], place))[:left]
    extra = set(largest)
    return [sign * (part + (place in extra)) * _UNIT for place, (part, _) in enumerate(divided)]
