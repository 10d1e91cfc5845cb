"""What a file of CSV holds, and which invoice it belongs to, where nobody says."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from billing.ingest.csv import read_lines
from billing.models import ProviderInvoice
from billing.values import CENT, exact


@dataclass(frozen=True, slots=True)
class CsvSummary:
    """A file's sum, and the span of its lines, first start to last end; None where it has none."""

    file: Path
    total: Decimal
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def period(self) -> date | None:
        """The month in which its lines begin."""
        return self.starts_at.astimezone(UTC).date().replace(day=1) if self.starts_at else None

    def assert_of(self, invoice: ProviderInvoice) -> None:
        """Raise InvalidInput where no line can be of the invoice's month: another may cost the same."""
        if self.starts_at is None or self.ends_at is None:
            return
        first, end = (
            datetime(day.year, day.month, 1, tzinfo=UTC) for day in (invoice.period, invoice.period_end)
        )
        if self.ends_at <= first or self.starts_at >= end:
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


def invoice_of_file(file: Path) -> ProviderInvoice:
    """The one invoice of the file's month and total.

    Raises NotFound where there is none or more than one, and what `read_through` does.
    """
    table = summarize_csv(file)
    months = [table.period] if table.period else []
    found = ProviderInvoice.objects.filter(
        period__in=months,
        is_preview=False,
        amount__gt=table.total - CENT,
        amount__lt=table.total + CENT,
    )[:2]
    if len(found) != 1:
        which = "more than one invoice" if found else "no invoice"
        month = f"{table.period:%Y-%m}" if table.period else "no month"
        raise NotFound(
            f"{file}: {which} of {month} is over {exact(table.total)}; name one with --invoice UUID"
        )
    return found[0]
