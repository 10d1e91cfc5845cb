"""Discounts, in the order in which they were given: each takes from what the ones before it have left.

What is left is kept per charge (a base fee, an add-on, a kind's usage with its minimum or maximum) in whole
minor units, so that a discount of 100 % leaves exactly nothing, and no discount takes a quote below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from arcadia_cloud.kernel.money import Money, minor_digits
from arcadia_cloud.kernel.periods import Period
from catalog.rating.exact import add, divide, multiply, negate, subtract, total
from catalog.rating.proration import prorate_price, proration_of, unbroken
from catalog.values.lines import LineType, QuoteLine, Step
from catalog.values.terms import ALL_CHARGES, BASE_FEES, Discount, Proration, QuoteInputs

_WHOLE: Final = Decimal(100)
_HALF: Final = Fraction(1, 2)
_PERCENT: Final = "-(left * percent / 100)"
_PERCENT_BY_DAYS: Final = "-(left * percent * days_valid / (days * 100))"
_AMOUNT: Final = "-min(amount, left)"


@dataclass(slots=True)
class Charge:
    """A charge that discounts take from: `left` is its amount less what they took."""

    scope: str
    days: tuple[Period, ...]
    left: Decimal


@dataclass(frozen=True, slots=True)
class Reduction:
    """The part of a charge that a discount takes, exactly."""

    charge: Charge
    part: Fraction


def charges_of(lines: Iterable[QuoteLine]) -> list[Charge]:
    """Put the lines of each charge together: a fee is one, a usage is one with its minimum or maximum."""
    found: list[Charge] = []
    for line in lines:
        if line.type in {LineType.MINIMUM, LineType.MAXIMUM}:
            found[-1].left = add(found[-1].left, line.amount.amount)  # it follows the usage that it limits
            continue
        if line.type in {LineType.USAGE, LineType.UNPRICED}:
            scope = line.code
        else:
            scope = BASE_FEES if line.type == LineType.BASE_FEE else ""
        found.append(Charge(scope, line.days, line.amount.amount))
    return found


def discount_charges(inputs: QuoteInputs, charges: Sequence[Charge]) -> list[QuoteLine]:
    """Return a negative line for each discount that is given on a day of the subscription.

    Under daily proration a percentage takes from a charge by the days that both have, and an amount is
    prorated by its days; else both are given in full.
    """
    lines = []
    # In the order given: each sees what the ones before it have left.
    for discount in inputs.discounts:
        shared = [discount.days_within(segment.days) for segment in inputs.segments]
        days = unbroken([part for part in shared if part is not None])
        # Without proration one day stands for the period: a discount that ends in it isn't cut.
        if days and proration_of(inputs) == Proration.NONE:
            days = (inputs.period,)
        touched = [
            charge
            for charge in charges
            if discount.scope in {ALL_CHARGES, charge.scope} and _shared_days(charge.days, days)
        ]
        if touched:
            lines.append(_discount_line(inputs, discount, days, touched))
    return lines


def _discount_line(
    inputs: QuoteInputs, discount: Discount, days: tuple[Period, ...], touched: Sequence[Charge]
) -> QuoteLine:
    basis: tuple[Step, ...] = ()
    if discount.amount is not None:
        basis = prorate_price(inputs.period, discount.amount, days)
        step, reductions = _take_amount(total(share.result for share in basis), touched)
        steps = [step]
    else:
        percent = discount.percent or _WHOLE
        taken = [_take_percent(percent, charge, days) for charge in touched if charge.left]
        steps, reductions = [step for step, _ in taken], [reduction for _, reduction in taken]
    return QuoteLine(
        type=LineType.DISCOUNT,
        code=discount.code,
        amount=-_reduce(reductions, inputs.currency),
        days=days,
        basis=basis,
        charges=tuple(steps),
    )


def _shared_days(days: Iterable[Period], others: Sequence[Period]) -> int:
    shared = (part.overlap(other) for part in days for other in others)
    return sum(part.days for part in shared if part is not None)


def _take_percent(percent: Decimal, charge: Charge, valid: Sequence[Period]) -> tuple[Step, Reduction]:
    inputs = {"left": charge.left, "percent": percent}
    taken, whole, formula = multiply(charge.left, percent), _WHOLE, _PERCENT
    days, days_valid = sum(part.days for part in charge.days), _shared_days(charge.days, valid)
    if days_valid != days:
        formula = _PERCENT_BY_DAYS
        inputs |= {"days_valid": Decimal(days_valid), "days": Decimal(days)}
        taken, whole = multiply(taken, inputs["days_valid"]), multiply(inputs["days"], _WHOLE)
    result = negate(divide(taken, whole))
    step = Step(rule="percent", formula=formula, inputs=inputs, result=result, source=charge.scope)
    return step, Reduction(charge, Fraction(taken) / Fraction(whole))


def _take_amount(amount: Decimal, touched: Sequence[Charge]) -> tuple[Step, list[Reduction]]:
    left = total(charge.left for charge in touched)
    taken = min(amount, left)
    inputs = {"amount": amount, "left": left}
    step = Step(rule="amount", formula=_AMOUNT, inputs=inputs, result=negate(taken))
    share = Fraction(taken) / Fraction(left) if left else Fraction(0)
    return step, [Reduction(charge, Fraction(charge.left) * share) for charge in touched]


def _reduce(reductions: Iterable[Reduction], currency: str) -> Money:
    """Take the reductions from their charges, and return their sum: rounded once, as every line.

    Each charge loses the difference of two rounded running totals. That is never more than it has left, and
    all of them together lose what the line takes.
    """
    scale = 10 ** minor_digits(currency)
    # Fractions: three thirds of half a cent are half a cent, which a sum of quotients would miss.
    exact, before = Fraction(0), 0
    for reduction in reductions:
        exact += reduction.part
        until_here = int(exact * scale + _HALF)
        taken = Money.from_cents(until_here - before, currency)
        reduction.charge.left = subtract(reduction.charge.left, taken.amount)
        before = until_here
    return Money.from_cents(before, currency)
