"""A line of an invoice, as a row of the table of its year, and as an item."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import Final

from simulator.catalog import Json
from simulator.clock import stamp

TAXES: Final = "Taxes"
_AT_ONCE: Final = 500  # rows in a piece of a streamed table
_COLUMNS: Final = (
    "product", "group_description", "description", "hours", "start", "end", "USD", "project_name", "category",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One charge, in cents. Hours are whole; None for what has none. `end` is as it is told."""

    product: str
    description: str
    start: datetime
    end: datetime
    cents: int
    hours: int | None = None
    group: str = ""
    project: str = ""
    category: str = "iaas"
    resource_id: str = ""
    resource_uuid: str = ""

    @property
    def is_tax(self) -> bool:
        return self.product == TAXES

    def with_cents(self, cents: int) -> "Line":
        return replace(self, cents=cents)

    def item(self) -> Json:
        """As the API's items have it: what has no value is left out."""
        body: Json = {
            "product": self.product,
            "resource_uuid": self.resource_uuid,
            "resource_id": self.resource_id,
            "group_description": self.group,
            "description": self.description,
            "amount": dollars(self.cents),
            "duration": "" if self.hours is None else str(self.hours),
            "duration_unit": "" if self.hours is None else "Hours",
            "start_time": stamp(self.start),
            "end_time": stamp(self.end),
            "project_name": self.project,
            "category": self.category,
        }
        return {name: value for name, value in body.items() if value != ""}


def dollars(cents: int) -> str:
    """As the API writes amounts: `-1779.55`."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def _minus_first(amount: str) -> str:
    return f"-${amount}"


def _dollar_first(amount: str) -> str:
    return f"$-{amount}"


def _in_parentheses(amount: str) -> str:
    return f"(${amount})"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the tables of some years are written."""

    until: date  # the last month
    columns: tuple[str, ...]
    negative: Callable[[str], str] = _minus_first
    mark: str = ""
    line_end: str = "\n"


_SPACED: Final = tuple(name.replace("_", " ").title() if name != "USD" else name for name in _COLUMNS[:8])
_DIALECTS: Final = (
    Dialect(date(2015, 12, 1), _SPACED, _in_parentheses, line_end="\r\n"),
    Dialect(date(2017, 12, 1), _COLUMNS[:8], _dollar_first, mark="\ufeff"),
    Dialect(date(2020, 12, 1), _COLUMNS[:8]),
    Dialect(date.max, _COLUMNS),
)


def table(lines: Iterable[Line], period: date) -> Iterator[str]:
    """The CSV in pieces, as that month's tables are written."""
    dialect = next(each for each in _DIALECTS if period <= each.until)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=dialect.line_end)
    text.write(dialect.mark)
    writer.writerow(dialect.columns)
    width, left = len(dialect.columns), iter(lines)
    while rows := [_row(line, dialect)[:width] for line in islice(left, _AT_ONCE)]:
        writer.writerows(rows)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


@lru_cache(maxsize=256)
def _instant(at: datetime) -> str:
    return f"{str(at)[:19]} +0000"


def _row(line: Line, dialect: Dialect) -> tuple[str, ...]:
    amount = f"{abs(line.cents) // 100:,}.{abs(line.cents) % 100:02}"
    return (
        line.product,
        line.group,
        line.description,
        "" if line.hours is None else str(line.hours),
        _instant(line.start),
        _instant(line.end),
        dialect.negative(amount) if line.cents < 0 else f"${amount}",
        line.project,
        line.category,
    )
