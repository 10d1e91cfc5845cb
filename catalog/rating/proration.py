"""Shares of fees and allowances by days.

Under `none` a started period is due in full, and the dearest version that was in force in it governs all of
it: an upgrade takes effect at once for the whole period, a downgrade with the next. So does the dearest of an
add-on's prices. Under `daily` each version and add-on counts by its own days, and the day of a change belongs
to the new one. A period that has versions of both rules follows the one that it began under, so that no day
is charged twice.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from arcadia_cloud.kernel.money import Money, minor_digits
from arcadia_cloud.kernel.periods import Period
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.lines import Step
from catalog.values.terms import AddonTerms, PlanTerms, Proration, QuoteInputs, Segment

_BY_DAYS: Final = "round({0} * days_to_end / days, places) - round({0} * days_to_start / days, places)"
_PRICE_BY_DAYS: Final = _BY_DAYS.format("price")
_QUANTITY_BY_DAYS: Final = _BY_DAYS.format("quantity")


class Part(NamedTuple):
    """The days that a segment's terms and add-ons count for, and the segment whose usage counts with them."""

    days: Period
    terms: PlanTerms
    addons: tuple[AddonTerms, ...]
    segment: Segment


def proration_of(inputs: QuoteInputs) -> Proration:
    """Return the rule that the period began under."""
    return inputs.segments[0].terms.proration if inputs.segments else Proration.NONE


def count_days(inputs: QuoteInputs) -> tuple[Part, ...]:
    """Return for every segment the days of the period that it counts for, and under which terms."""
    if proration_of(inputs) == Proration.NONE:
        return _whole_period(inputs.period, inputs.segments)
    return tuple(Part(segment.days, segment.terms, segment.addons, segment) for segment in inputs.segments)


def unbroken(parts: Sequence[Period]) -> tuple[Period, ...]:
    """Join periods that follow each other, so that a cut between equals leaves no trace in a quote."""
    if len(parts) == 1:
        return (parts[0],)
    joined: list[Period] = []
    for part in parts:
        if joined and joined[-1].end == part.start:
            joined[-1] = Period(joined[-1].start, part.end)
        else:
            joined.append(part)
    return tuple(joined)


def prorate_price(period: Period, price: Money, days: tuple[Period, ...]) -> tuple[Step, ...]:
    """Charge the shares of a period's price that fall into these days, in whole minor units."""
    if days == (period,):
        return (Step.in_full("price", price.amount),)
    places = minor_digits(price.currency)
    return tuple([_share(period, ("price", _PRICE_BY_DAYS), price.amount, part, places, "") for part in days])


def prorate_quantity(
    period: Period, quantity: Decimal, days: Iterable[Period], *, source: str
) -> tuple[Step, ...]:
    """Allow the shares of a period's quantity that fall into these days."""
    named = ("quantity", _QUANTITY_BY_DAYS)
    return tuple([_share(period, named, quantity, part, QUANTITY_PLACES, source) for part in days])


def _share(
    period: Period, named: tuple[str, str], amount: Decimal, part: Period, places: int, source: str
) -> Step:
    name, formula = named
    if part is period or part == period:
        return Step.in_full(name, amount, source)
    inputs = {
        name: amount,
        "days_to_start": Decimal((part.start - period.start).days),
        "days_to_end": Decimal((part.end - period.start).days),
        "days": Decimal(period.days),
        "places": Decimal(places),
    }
    share = period.share(amount, part, places=places)
    return Step(rule="by_days", formula=formula, inputs=inputs, result=share, source=source)


def _whole_period(period: Period, segments: Sequence[Segment]) -> tuple[Part, ...]:
    """Stretch the segments over the period's gaps, all under the version and the add-ons that govern it."""
    if not segments:
        return ()
    attached = [addon for segment in segments for addon in segment.addons]
    if len(attached) > 1:
        attached.sort(key=lambda addon: addon.price)
    addons = {addon.code: addon for addon in attached}
    # The usual case, and the period itself: its shares are in full without a comparison of dates.
    if len(segments) == 1:
        return (Part(period, segments[0].terms, tuple(addons.values()), segments[0]),)
    # Of equals the last: the sort keeps the order in time.
    terms = sorted((segment.terms for segment in segments), key=lambda terms: terms.base_price)[-1]
    starts = [period.start, *(segment.days.start for segment in segments[1:])]
    ends = [*starts[1:], period.end]
    return tuple(
        Part(Period(start, end), terms, tuple(addons.values()), segment)
        for start, end, segment in zip(starts, ends, segments, strict=True)
    )
