"""Which invoice a file of CSV belongs to, where nobody says."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from billing.csv_reading import read_lines
from billing.models import ProviderInvoice
from billing.values import CENT, exact


def assert_readable(file: Path) -> tuple[date | None, Decimal]:
    """Read a file to its end; return the month of its earliest line, None where it has none, and its sum.

    Raises UnreadableInvoice, and InvalidInput where there is no such file.
    """
    total = Decimal(0)
    earliest = None
    try:
        with file.open("rb") as opened:
            for line in read_lines(opened):
                total += line.amount
                earliest = line.started_at if earliest is None else min(earliest, line.started_at)
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}") from error
    return (earliest.date().replace(day=1) if earliest else None), total


def invoice_of_file(file: Path) -> ProviderInvoice:
    """The one invoice of the file's month and total.

    Raises NotFound where there is none or more than one, and what `assert_readable` does.
    """
    period, total = assert_readable(file)
    months = [period] if period else []
    found = ProviderInvoice.objects.filter(
        period__in=months, is_preview=False, amount__gt=total - CENT, amount__lt=total + CENT
    )[:2]
    if len(found) != 1:
        which = "more than one invoice" if found else "no invoice"
        month = f"{period:%Y-%m}" if period else "no month"
        raise NotFound(f"{file}: {which} of {month} is over {exact(total)}; name one with --invoice UUID")
    return found[0]
