"""Minimum and maximum spend of a plan's item, as lines of their own beside the usage that they limit."""

from typing import Final

from arcadia_cloud.kernel.money import Money
from catalog.rating.exact import subtract
from catalog.values.lines import LineType, QuoteLine, Step
from catalog.values.terms import ItemTerms

_TOP_UP: Final = "minimum - amount"
_REFUND: Final = "maximum - amount"


def limit_spend(item: ItemTerms, usage: QuoteLine) -> tuple[QuoteLine, ...]:
    """Raise what the usage costs to the item's minimum, or lower it to the maximum.

    The limits apply to the line as it was rounded: else the sum could miss them by a minor unit. A minimum is
    due without any usage, too.
    """
    if item.minimum is None and item.maximum is None:
        return ()
    amount = usage.amount.amount
    if item.minimum is not None and amount < item.minimum.amount:
        return (_difference(LineType.MINIMUM, _TOP_UP, item.minimum, usage),)
    if item.maximum is not None and amount > item.maximum.amount:
        return (_difference(LineType.MAXIMUM, _REFUND, item.maximum, usage),)
    return ()


def _difference(line_type: LineType, formula: str, limit: Money, usage: QuoteLine) -> QuoteLine:
    amount, rule = usage.amount.amount, line_type.value
    result = subtract(limit.amount, amount)
    inputs = {rule: limit.amount, "amount": amount}
    return QuoteLine(
        type=line_type,
        code=usage.code,
        amount=limit.with_amount(result),
        days=usage.days,
        versions=usage.versions,
        charges=(Step(rule, formula, inputs, result),),
    )
