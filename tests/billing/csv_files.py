"""Invoices as CSV, in each of the ways in which they are written."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any, Literal

from billing.ingest.csv import read_lines
from billing.values import BilledLine

CURRENT = (
    "product", "group_description", "description", "hours", "start", "end", "USD", "project_name", "category",
)  # fmt: skip
OF_2019 = CURRENT[:-1]
FIRST = datetime(2026, 4, 1, tzinfo=UTC)
LAST = datetime(2026, 5, 1, tzinfo=UTC)


def a_line(
    number: int = 1, description: str = "web-01 (s-1vcpu-1gb)", amount: str = "6.00", **fields: Any
) -> BilledLine:
    """A droplet's line of April 2026; `fields` override."""
    plain = BilledLine(
        number, "Droplets", "", description, Decimal(720), FIRST, LAST, Decimal(amount), "acme", "iaas"
    )
    return plain._replace(**fields)


def provider_amount(amount: Decimal) -> str:
    """As DigitalOcean writes it: `-$1,779.55`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,f}"


def provider_time(at: datetime) -> str:
    """As DigitalOcean writes it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


@dataclass(frozen=True)
class Dialect:
    """A way of writing the CSV. `columns` are names as they stand in the header."""

    columns: Sequence[str] = CURRENT
    amount: Callable[[Decimal], str] = provider_amount
    time: Callable[[datetime], str] = provider_time
    line_end: str = "\n"
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
    bom: bool = False
    last_line_end: bool = True


def cells_of(line: BilledLine, dialect: Dialect) -> dict[str, str]:
    """A line's cells by the plain names of their columns."""
    return {
        "product": line.product,
        "group_description": line.group_description,
        "description": line.description,
        "hours": "" if line.hours is None else f"{line.hours:f}",
        "start": dialect.time(line.started_at),
        "end": dialect.time(line.ended_at),
        "usd": dialect.amount(line.amount),
        "project_name": line.project_name,
        "category": line.category,
    }


def table(lines: Iterable[BilledLine], dialect: Dialect = Dialect()) -> bytes:
    """The CSV of an invoice."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator=dialect.line_end, quoting=dialect.quoting)
    writer.writerow(dialect.columns)
    for line in lines:
        cells = cells_of(line, dialect)
        names = ("_".join(name.strip().lower().replace("_", " ").split()) for name in dialect.columns)
        writer.writerow([cells.get(name, "what is this?") for name in names])
    written = text.getvalue()
    if not dialect.last_line_end:
        written = written.removesuffix(dialect.line_end)
    return written.encode("utf-8-sig" if dialect.bom else "utf-8")


def read(written: bytes) -> list[BilledLine]:
    """Read a file."""
    return list(read_lines(BytesIO(written)))
