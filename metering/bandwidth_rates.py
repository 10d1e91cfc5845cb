"""Sums of measured rates: what a droplet sent, from samples of megabits a second.

A sample's rate counts until the next sample. Where that is later than it should be, samples are missing: the
rate counts for as long as one sample stands, and the rest is a gap that nothing is counted for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from itertools import pairwise
from typing import Final

# A megabit is 10^6 bits, a gigabyte 10^9 bytes: 8,000 of the one are one of the other.
_MEGABITS: Final = Decimal(8_000)
_EXACT: Final = Context(prec=100, rounding=ROUND_HALF_UP)
_LONGEST_STEP: Final = Decimal("1.5")  # of the usual one; a sample that is only late is none that is missing
_QUANTITY: Final = Decimal("0.000001")

# Seconds since 1970, and what was measured then, as text.
Samples = Sequence[tuple[Decimal, str]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a day, in seconds since 1970, half-open."""

    since: Decimal
    until: Decimal


@dataclass(frozen=True, slots=True)
class Traffic:
    """The GB of 10^9 bytes that were sent in a stretch, and the seconds of it that have samples."""

    gigabytes: Decimal
    covered: Decimal


def sum_rates(samples: Samples, stretch: Stretch) -> Traffic:
    """Return the traffic of a stretch; samples around it decide what held at its bounds.

    What is no number, or below zero, measures nothing. The last sample alone counts for no time.
    """
    known = sorted((at, rate) for at, text in samples if (rate := _read_rate(text)) is not None)
    steps = Counter(later[0] - earlier[0] for earlier, later in pairwise(known))
    if not steps:
        return Traffic(Decimal(0), Decimal(0))
    # The most frequent, and of several the shortest: gaps are rare, and longer than what they interrupt.
    usual = min(steps, key=lambda step: (-steps[step], step))
    total = covered = Decimal(0)
    for (at, rate), (following, _) in pairwise(known):
        is_gap = following - at > _EXACT.multiply(usual, _LONGEST_STEP)
        until = at + usual if is_gap else following
        seconds = max(min(until, stretch.until) - max(at, stretch.since), Decimal(0))
        total = _EXACT.add(total, _EXACT.multiply(rate, seconds))
        covered += seconds
    return Traffic(_EXACT.divide(total, _MEGABITS).quantize(_QUANTITY, context=_EXACT), covered)


def _read_rate(text: str) -> Decimal | None:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and rate >= 0 else None
