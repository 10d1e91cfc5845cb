"""Whether an invoice's lines add up to what it says: to the cent, or by what its summary explains."""

from dataclasses import dataclass
from decimal import Decimal

from billing.ingest.stage import IngestTotals
from billing.values import CENT, IngestStatus, exact


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How lines and invoice agree. `adjustments` is what the summary alone has; `error` why they don't."""

    status: IngestStatus
    adjustments: Decimal = Decimal(0)
    error: str = ""


def reconcile(
    *, amount: Decimal, kept: IngestTotals, credits_and_adjustments: Decimal | None
) -> Reconciliation:
    """Hold the lines against the invoice's amount, and against the provider's items.

    Promotional credits may stand in the summary only: a difference that is theirs is no difference. Fractions
    of a cent are the rounding of lines.
    """
    difference = amount - kept.total
    adjustments = Decimal(0)
    problems = []
    if abs(difference) >= CENT:
        explained = credits_and_adjustments or Decimal(0)
        if abs(difference - explained) < CENT:
            adjustments = difference
        else:
            problems.append(_in_words(amount, kept, difference, credits_and_adjustments))
    if kept.disagreement:
        problems.append(kept.disagreement)
    if problems:
        return Reconciliation(IngestStatus.MISMATCH, error="; ".join(problems))
    return Reconciliation(IngestStatus.INGESTED, adjustments)


def _in_words(amount: Decimal, kept: IngestTotals, difference: Decimal, credits_told: Decimal | None) -> str:
    which = "missing from" if difference > 0 else "too much in"
    words = (
        f"{exact(abs(difference))} is {which} the lines: "
        f"they sum to {exact(kept.total)}, the invoice says {exact(amount)}"
    )
    if credits_told:
        words += f", and its summary's credits and adjustments ({exact(credits_told)}) don't explain it"
    return words
