"""An invoice's lines: staged, paired with their items, matched and kept, in one transaction.

The lines go through COPY into a table without indexes, and from there in one statement to where they stay,
so that each is written there once, with its resource.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final

from django.db import connection, transaction

from billing.classification import is_tax, kind_of, name_of
from billing.ingest.csv import read_lines
from billing.statements import statement
from billing.values import MATCHED, BilledLine
from inventory.values import PROVIDER

_STAGING: Final = statement("staging.sql")
_PAIR: Final = statement("pair_lines_with_items.sql")
_ALONE: Final = statement("count_unpaired.sql")
_KEEP: Final = statement("insert_matched_lines.sql")
_TOTALS: Final = """
    SELECT count(*), coalesce(sum(amount), 0), coalesce(sum(amount) FILTER (WHERE is_tax), 0),
           count(*) FILTER (WHERE is_tax), count(*) FILTER (WHERE match = ANY(%s))
    FROM cloud_cost_lines WHERE invoice_id = %s
"""
# PostgreSQL takes an empty cell for null unless told otherwise.
_COPY_LINES: Final = """
    COPY staged_lines FROM STDIN (
        FORMAT csv,
        FORCE_NOT_NULL (product, group_description, description, project_name, category, kind, name)
    )
"""
_COPY_ITEMS: Final = """
    COPY staged_items FROM STDIN (
        FORMAT csv, FORCE_NOT_NULL (product, group_description, description, resource_id, resource_uuid)
    )
"""
_PIECE: Final = 256 * 1024  # characters


@dataclass(frozen=True, slots=True)
class IngestTotals:
    """What an ingest wrote. `disagreement`: where lines and items differ, in words; "" where they don't."""

    count: int
    total: Decimal
    tax_total: Decimal
    taxes: int
    matched: int
    items: int | None
    disagreement: str


@transaction.atomic
def replace_lines(invoice_pk: int, lines: IO[bytes], items: IO[str] | None) -> IngestTotals:
    """Put these lines in the place of the invoice's. `items` are rows as `items.spool` writes them.

    The same file gives the same rows. Raises UnreadableInvoice, and then what was there stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        with connection.wrap_database_errors, cursor.copy(_COPY_LINES) as copy:
            for piece in _pieces(_staged(line) for line in read_lines(lines)):
                copy.write(piece)
        counted = None if items is None else _pair(cursor, items)
        disagreement = _disagreement(cursor) if counted else ""
        cursor.execute("ANALYZE staged_lines")
        cursor.execute("DELETE FROM cloud_cost_lines WHERE invoice_id = %s", [invoice_pk])
        cursor.execute(_KEEP, {"invoice": invoice_pk, "provider": PROVIDER})
        cursor.execute(_TOTALS, [[str(match) for match in MATCHED], invoice_pk])
        count, total, tax_total, taxes, matched = cursor.fetchone()
        cursor.execute("DROP TABLE staged_lines, staged_items, paired")
    return IngestTotals(count, total, tax_total, taxes, matched, counted, disagreement)


def _pair(cursor: Any, items: IO[str]) -> int:
    with connection.wrap_database_errors, cursor.copy(_COPY_ITEMS) as copy:
        while piece := items.read(_PIECE):
            copy.write(piece)
    cursor.execute("ANALYZE staged_items")
    cursor.execute("SELECT count(*) FROM staged_items")
    (counted,) = cursor.fetchone()
    if counted:
        cursor.execute("ANALYZE staged_lines")
        cursor.execute(_PAIR)
        cursor.execute("ANALYZE paired")
    return int(counted)


def _disagreement(cursor: Any) -> str:
    cursor.execute(_ALONE)
    lines, items, first_line, first_item = cursor.fetchone()
    words = []
    if lines:
        words.append(f"{lines} in the CSV alone (first: line {first_line})")
    if items:
        words.append(f"{items} among the items alone (first: {first_item[:80]})")
    return f"the CSV and the provider's items differ: {', '.join(words)}" if words else ""


def _staged(line: BilledLine) -> tuple[object, ...]:
    kind = kind_of(line.product, line.category, line.description)
    return (
        *line,
        kind,
        name_of(kind, line.group_description, line.description),
        is_tax(line.product, line.category, line.description),
    )


def _pieces(rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    r"""Rows as CSV for COPY. The line ends are \r\n so that the writer quotes cells that hold either."""
    text = StringIO(newline="")
    write = csv.writer(text, lineterminator="\r\n").writerow
    for row in rows:
        write(row)
        if text.tell() > _PIECE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
