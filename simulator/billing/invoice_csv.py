"""An invoice as CSV, in the form that DigitalOcean's had in its year."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import Final

from simulator.billing.lines import Line

_ROWS_PER_CHUNK: Final = 500
_COLUMNS: Final = (
    "product", "group_description", "description", "hours", "start", "end", "USD", "project_name", "category",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """The CSV format of the invoices of some years."""

    until: date  # the last month
    columns: tuple[str, ...]
    negative: str = "-${}"
    byte_order_mark: str = ""
    line_end: str = "\n"


_SPACED: Final = tuple(name.replace("_", " ").title() if name != "USD" else name for name in _COLUMNS[:8])
_CSV_FORMATS: Final = (
    CsvFormat(date(2015, 12, 1), _SPACED, "(${})", line_end="\r\n"),
    CsvFormat(date(2017, 12, 1), _COLUMNS[:8], "$-{}", byte_order_mark="\ufeff"),
    CsvFormat(date(2020, 12, 1), _COLUMNS[:8]),
    CsvFormat(date.max, _COLUMNS),
)


def write_csv(lines: Iterable[Line], period: date) -> Iterator[str]:
    """Yield the CSV in chunks, in the format of that month."""
    csv_format = next(each for each in _CSV_FORMATS if period <= each.until)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=csv_format.line_end)
    text.write(csv_format.byte_order_mark)
    writer.writerow(csv_format.columns)
    width, left = len(csv_format.columns), iter(lines)
    # In chunks from one buffer: an invoice of ten million lines is streamed, and never in memory as a whole.
    while rows := [_row(line, csv_format)[:width] for line in islice(left, _ROWS_PER_CHUNK)]:
        writer.writerows(rows)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


# Most lines of an invoice start and end at the same two times.
@lru_cache(maxsize=256)
def _instant(at: datetime) -> str:
    return f"{str(at)[:19]} +0000"


def _row(line: Line, csv_format: CsvFormat) -> tuple[str, ...]:
    amount = f"{abs(line.cents) // 100:,}.{abs(line.cents) % 100:02}"
    return (
        line.product,
        line.group,
        line.description,
        "" if line.hours is None else str(line.hours),
        _instant(line.start),
        _instant(line.end),
        csv_format.negative.format(amount) if line.cents < 0 else f"${amount}",
        line.project,
        line.category,
    )
