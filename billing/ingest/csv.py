"""The reader of an invoice's CSV, row by row, in memory that doesn't grow with it.

Columns are found by their names, so that their order doesn't matter and new ones don't hurt. Names stand
with underscores or spaces, in any case; the invoices of 2019 and 2020 have no `category`, older ones
perhaps no `project_name`. What can't be read is an error that names row, column and value: a row that was
left out or guessed at would be money lost in silence.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import TextIOWrapper
from typing import IO, Any, Final

from arcadia_cloud.kernel.errors import DomainError, describe
from billing.ingest import cells
from billing.values import BilledLine

_REQUIRED: Final = ("product", "description", "start", "end", "usd")
_OPTIONAL: Final = ("group_description", "hours", "project_name", "category")
_LONGEST_SHOWN: Final = 80
_UNDECODABLE: Final = re.compile("[\udc80-\udcff]")  # what `surrogateescape` makes of a byte


class UnreadableInvoice(DomainError):
    """The file breaks a rule. `row` counts rows of data from 1, 0 is the header's; `column` is the file's."""

    code = "unreadable_invoice"

    def __init__(self, rule: str, *, row: int, line: int, column: str = "", value: str | None = None) -> None:
        self.row, self.column, self.value = row, column, value
        at = f"row {row} (line {line} of the file)" if row else "the header"
        shown = "" if value is None else f"{value[:_LONGEST_SHOWN]!r} "
        super().__init__(f"{at}{f', column {column}' if column else ''}: {shown}{rule}")


def read_lines(file: IO[bytes]) -> Iterator[BilledLine]:
    """Yield the rows of a file of UTF-8, with or without a byte-order mark. Blank lines count for nothing.

    Raises UnreadableInvoice at the first row that breaks a rule. The file is left open.
    """
    # Decoded in blocks: a wrong byte would fail far before its row. It passes, and its row is refused.
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _Reader(text)
    finally:
        text.detach()


class _Reader:
    """The reader of one file; iterate it once."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._rows = csv.reader(_without_nul(text), strict=True)
        self._number = -1  # the header is row 0, so that what is wrong with it is not said of a row of data
        self._header: list[str] = []
        self._amounts = cells.Memo(cells.amount)
        self._hours = cells.Memo(cells.hours)
        self._instants = cells.Memo(cells.instant)

    def __iter__(self) -> Iterator[BilledLine]:
        header = self._header = self._read_header()
        known = [_plain(name) for name in header]
        # An absent column is the empty cell after the last.
        columns = (*_REQUIRED, *_OPTIONAL)
        place = {name: known.index(name) if name in known else len(known) for name in columns}
        product, group, description = place["product"], place["group_description"], place["description"]
        hours, start, end, usd = place["hours"], place["start"], place["end"], place["usd"]
        project, category = place["project_name"], place["category"]
        width = len(header)
        amounts, instants, all_hours = self._amounts, self._instants, self._hours
        for row in self._data():
            if len(row) != width:
                raise self._refusal(f"has {len(row)} cells, the header has {width}")
            row.append("")  # what the places of absent columns point to
            try:
                line = BilledLine(
                    self._number,
                    row[product],
                    row[group],
                    row[description],
                    all_hours[row[hours]],
                    instants[row[start]],
                    instants[row[end]],
                    amounts[row[usd]],
                    row[project],
                    row[category],
                )
            except ValueError:
                raise self._fault(header, place, row) from None
            if line.ended_at < line.started_at:
                raise self._refusal("is before the start", column=header[end], value=row[end])
            yield line

    def _read_header(self) -> list[str]:
        names = next(self._data(), None)
        if names is None:
            raise UnreadableInvoice("the file is empty: not even a header stands in it", row=0, line=1)
        known = [_plain(name) for name in names]
        missing = [name for name in _REQUIRED if name not in known]
        if missing:
            raise UnreadableInvoice(f"there is no column {', '.join(missing)}", row=0, line=1)
        twice = sorted({name for name in (*_REQUIRED, *_OPTIONAL) if known.count(name) > 1})
        if twice:
            raise UnreadableInvoice(f"the column {', '.join(twice)} stands twice", row=0, line=1)
        return names

    def _data(self) -> Iterator[list[str]]:
        while True:
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except (csv.Error, _HasNul) as error:
                self._number += 1
                raise self._refusal(f"can't be read: {describe(error)}") from error
            if row:
                self._number += 1
                if not (text := "".join(row)).isascii() and _UNDECODABLE.search(text):
                    raise self._undecodable(row)
                yield row

    def _undecodable(self, row: Sequence[str]) -> UnreadableInvoice:
        place, cell = next(found for found in enumerate(row) if _UNDECODABLE.search(found[1]))
        shown = cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        column = self._header[place] if place < len(self._header) else ""
        return self._refusal("is not UTF-8 text", column=column, value=shown)

    def _fault(self, header: Sequence[str], place: Mapping[str, int], row: Sequence[str]) -> Exception:
        """Read the row again, cell by cell, to find the one at fault."""
        readers: Mapping[str, Any] = {
            "hours": cells.hours, "start": cells.instant, "end": cells.instant, "usd": cells.amount,
        }  # fmt: skip
        for name, read in readers.items():
            try:
                read(row[place[name]])
            except ValueError as error:
                return self._refusal(str(error), column=header[place[name]], value=row[place[name]])
        raise AssertionError("every cell can be read")

    def _refusal(self, rule: str, *, column: str = "", value: str | None = None) -> UnreadableInvoice:
        return UnreadableInvoice(rule, row=self._number, line=self._rows.line_num, column=column, value=value)


class _HasNul(ValueError):
    """A byte that no text has, and that PostgreSQL can't store."""


def _without_nul(text: TextIOWrapper) -> Iterator[str]:
    for line in text:
        if "\0" in line:
            raise _HasNul("it has a NUL byte")
        yield line


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("_", " ").split())
