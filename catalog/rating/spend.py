"""Minimum and maximum spend of a plan's item, as lines of their own beside the usage that they limit."""

from typing import Final

from arcadia_cloud.kernel.money import Money
from catalog.rating.exact import subtract
from catalog.values.lines import LineType, QuoteLine, Step
from catalog.values.terms import ItemTerms

_TOP_UP: Final = "minimum - amount"
_REFUND: Final = "maximum - amount"


def limit_spend(item: ItemTerms | None, usage: QuoteLine) -> tuple[QuoteLine, ...]:
    """Raise what the usage costs to the item's minimum, or lower it to the maximum.

    The limits apply to the line as it was rounded: else the sum could miss them by a minor unit. A minimum is
    due without any usage, too.
    """
    if item is None:
        return ()
    if item.minimum is not None and usage.amount < item.minimum:
        return (_difference(LineType.MINIMUM, _TOP_UP, item.minimum, usage),)
    if item.maximum is not None and usage.amount > item.maximum:
        return (_difference(LineType.MAXIMUM, _REFUND, item.maximum, usage),)
    return ()


def _difference(line_type: LineType, formula: str, limit: Money, usage: QuoteLine) -> QuoteLine:
    result = subtract(limit.amount, usage.amount.amount)
    inputs = {str(line_type): limit.amount, "amount": usage.amount.amount}
    return QuoteLine(
        type=line_type,
        code=usage.code,
        amount=Money(result, limit.currency),
        days=usage.days,
        versions=usage.versions,
        charges=(Step(rule=line_type.value, formula=formula, inputs=inputs, result=result),),
    )
