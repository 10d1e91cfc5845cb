"""The replacement of an invoice's lines: staged, paired with items, matched and stored, in one transaction.

The lines go through COPY into a table without indexes, and from there in one statement to where they stay,
so that each is written there once, with its resource.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final

from django.db import connection, transaction

from arcadia_cloud.kernel.sql import execute, fetch_all, load
from billing.classification import is_tax, kind_of, name_of
from billing.ingest.csv import read_lines
from billing.matching import insert_matched_lines
from billing.values import BilledLine
from inventory.values import Kind

_CREATE_STAGING_TABLES: Final = load(__package__, "create_staging_tables.sql")
_PAIR: Final = load(__package__, "pair_lines_with_items.sql")
_COUNT_UNPAIRED: Final = load(__package__, "count_unpaired.sql")
_SUM_LINES: Final = load(__package__, "sum_lines.sql")
# PostgreSQL takes an empty cell for null, and every text here is NOT NULL.
_COPY_LINES: Final = """
    COPY staged_lines FROM STDIN (
        FORMAT csv,
        FORCE_NOT_NULL (
            product, group_description, description, project_name, category, kind, name, resource_kind
        )
    )
"""
_COPY_ITEMS: Final = """
    COPY staged_items FROM STDIN (
        FORMAT csv, FORCE_NOT_NULL (product, group_description, description, resource_id, resource_uuid)
    )
"""
_CHUNK_CHARACTERS: Final = 256 * 1024
_LONGEST_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class LineTotals:
    """Counts and sums over an invoice's stored lines."""

    count: int
    total: Decimal
    tax_total: Decimal
    taxes: int
    matched: int


@dataclass(frozen=True, slots=True)
class IngestTotals(LineTotals):
    """The totals of an ingest. `items` is None where the provider gave none.

    `disagreement` describes how lines and items differ, "" where they don't.
    """

    items: int | None
    disagreement: str


@dataclass(frozen=True, slots=True)
class _UnpairedCounts:
    lines: int
    items: int
    first_line_no: int | None
    first_item: str | None


# The old lines go only with the new ones: a file that breaks off leaves the invoice as it was.
@transaction.atomic
def replace_lines(invoice_pk: int, lines: IO[bytes], items: IO[str] | None) -> IngestTotals:
    """Replace the invoice's lines by these. `items` are rows as `items.write_items_csv` writes them.

    The same file gives the same rows. Raises UnreadableInvoice, and then the stored lines stay.
    """
    execute(_CREATE_STAGING_TABLES)
    with connection.cursor() as cursor:
        with connection.wrap_database_errors, cursor.copy(_COPY_LINES) as copy:
            for chunk in _csv_chunks(_staged_row(line) for line in read_lines(lines)):
                copy.write(chunk)
        item_count = None if items is None else _pair_with_items(cursor, items)
        disagreement = _describe_unpaired() if item_count else ""
        # The planner knows nothing of a table filled in this transaction, and would match row by row.
        cursor.execute("ANALYZE staged_lines")
        # Deleted as late as possible: the locks and dead rows of a million lines last until the commit.
        cursor.execute("DELETE FROM cloud_cost_lines WHERE invoice_id = %s", [invoice_pk])
        insert_matched_lines(invoice_pk)
        (totals,) = fetch_all(_SUM_LINES, {"invoice": invoice_pk}, into=LineTotals)
        # A retry within one transaction creates them again.
        cursor.execute("DROP TABLE staged_lines, staged_items, line_items")
    return IngestTotals(**asdict(totals), items=item_count, disagreement=disagreement)


def _pair_with_items(cursor: Any, items: IO[str]) -> int:
    with connection.wrap_database_errors, cursor.copy(_COPY_ITEMS) as copy:
        while chunk := items.read(_CHUNK_CHARACTERS):
            copy.write(chunk)
    cursor.execute("ANALYZE staged_items")
    cursor.execute("SELECT count(*) FROM staged_items")
    (item_count,) = cursor.fetchone()
    if item_count:
        cursor.execute("ANALYZE staged_lines")
        execute(_PAIR)
        cursor.execute("ANALYZE line_items")
    return int(item_count)


def _describe_unpaired() -> str:
    (unpaired,) = fetch_all(_COUNT_UNPAIRED, into=_UnpairedCounts)
    differences = []
    if unpaired.lines:
        differences.append(f"{unpaired.lines} in the CSV alone (first: line {unpaired.first_line_no})")
    if unpaired.items:
        first_item = (unpaired.first_item or "")[:_LONGEST_SHOWN]
        differences.append(f"{unpaired.items} among the items alone (first: {first_item})")
    return f"the CSV and the provider's items differ: {', '.join(differences)}" if differences else ""


def _staged_row(line: BilledLine) -> tuple[object, ...]:
    kind = kind_of(line.product, line.category, line.description)
    return (
        *line,
        kind,
        name_of(kind, line.group_description, line.description),
        is_tax(line.product, line.category, line.description),
        Kind.DROPLET.value if kind == Kind.DROPLET_BACKUP else kind,  # as `rematch_lines.sql` computes it
    )


def _csv_chunks(rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    r"""Yield rows as CSV for COPY. With \r\n as line end the writer quotes cells that hold either."""
    text = StringIO(newline="")
    write = csv.writer(text, lineterminator="\r\n").writerow
    for row in rows:
        write(row)
        if text.tell() > _CHUNK_CHARACTERS:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
