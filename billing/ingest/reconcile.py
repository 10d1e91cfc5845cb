"""The reconciliation of an invoice: its lines against its amount, to the cent, and against its items."""

from dataclasses import dataclass
from decimal import Decimal

from arcadia_cloud.kernel.money import exact_text
from billing.ingest.stage import IngestTotals
from billing.states import IngestStatus
from billing.values import CENT


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome. `adjustments` stands in the summary alone; `error` describes the difference, if any."""

    status: IngestStatus
    adjustments: Decimal = Decimal(0)
    error: str = ""


def reconcile(
    *, amount: Decimal, totals: IngestTotals, credits_and_adjustments: Decimal | None
) -> Reconciliation:
    """Compare the lines with the invoice's amount and with the provider's items.

    Promotional credits may stand in the summary only: a difference that is theirs is no difference. Fractions
    of a cent are the rounding of lines.
    """
    difference = amount - totals.total
    adjustments = Decimal(0)
    problems = []
    if abs(difference) >= CENT:
        explained = credits_and_adjustments or Decimal(0)
        if abs(difference - explained) < CENT:
            adjustments = difference
        else:
            problems.append(_describe_difference(amount, totals, credits_and_adjustments))
    if totals.disagreement:
        problems.append(totals.disagreement)
    if problems:
        return Reconciliation(IngestStatus.MISMATCH, error="; ".join(problems))
    return Reconciliation(IngestStatus.INGESTED, adjustments)


def _describe_difference(
    amount: Decimal, totals: IngestTotals, credits_and_adjustments: Decimal | None
) -> str:
    difference = amount - totals.total
    which = "missing from" if difference > 0 else "too much in"
    description = (
        f"{exact_text(abs(difference))} is {which} the lines: "
        f"they sum to {exact_text(totals.total)}, the invoice says {exact_text(amount)}"
    )
    if credits_and_adjustments:
        credit = exact_text(credits_and_adjustments)
        description += f", and its summary's credits and adjustments ({credit}) don't explain it"
    return description
