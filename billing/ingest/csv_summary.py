"""The summary of a CSV file, and the invoice that the file belongs to where none is named."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from arcadia_cloud.kernel.money import exact_text
from arcadia_cloud.kernel.periods import month_of
from billing.ingest.csv import read_lines
from billing.models import ProviderInvoice
from billing.values import CENT


@dataclass(frozen=True, slots=True)
class CsvSummary:
    """A file's sum, and the span of its lines, first start to last end; None where it has no line."""

    file: Path
    total: Decimal
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def period(self) -> date | None:
        """Return the first day of the month in which its lines begin."""
        return month_of(self.starts_at).start if self.starts_at else None

    def assert_of(self, invoice: ProviderInvoice) -> None:
        """Raise InvalidInput where no line can be of the invoice's month: another may cost the same."""
        if self.starts_at is None or self.ends_at is None:
            return
        if self.ends_at <= invoice.month.starts_at or self.starts_at >= invoice.month.ends_at:
            raise InvalidInput(
                f"{self.file}: none of its lines is of {invoice.period:%Y-%m}, as {invoice} is"
            )


def summarize_csv(file: Path) -> CsvSummary:
    """Read a file to its end. Raises UnreadableInvoice, and InvalidInput where there is no such file."""
    total = Decimal(0)
    starts_at = ends_at = None
    try:
        with file.open("rb") as opened:
            for line in read_lines(opened):
                total += line.amount
                starts_at = line.started_at if starts_at is None else min(starts_at, line.started_at)
                ends_at = line.ended_at if ends_at is None else max(ends_at, line.ended_at)
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}") from error
    return CsvSummary(file, total, starts_at, ends_at)


def find_invoice_of_csv(file: Path) -> ProviderInvoice:
    """Return the one invoice of the file's month and total.

    Raises NotFound where there is none or more than one, and what `summarize_csv` raises.
    """
    summary = summarize_csv(file)
    # By the sum and not the text of the file: lines are rounded, the header's amount isn't.
    months = [summary.period] if summary.period else []
    found = ProviderInvoice.objects.final().filter(
        period__in=months,
        amount__gt=summary.total - CENT,
        amount__lt=summary.total + CENT,
    )[:2]
    if len(found) != 1:
        which = "more than one invoice" if found else "no invoice"
        month = f"{summary.period:%Y-%m}" if summary.period else "no month"
        raise NotFound(
            f"{file}: {which} of {month} is over {exact_text(summary.total)}; name one with --invoice UUID"
        )
    return found[0]
