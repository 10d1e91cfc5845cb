"""The inventory as a file: every row that a list's filters leave, as CSV or JSON, in bounded memory.

Rows are read by primary key, a page at a time, and not through a server-side cursor: that would need one
transaction as long as the slowest client, and doesn't work behind PgBouncer. So a file is no snapshot: each
row is as it was when its page was read, and none is missing or there twice.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from io import StringIO
from itertools import chain
from typing import Any, Final

import msgspec
from django.db.models import Value
from django.http import HttpResponse, StreamingHttpResponse

from inventory.models import ResourceQuerySet
from inventory.values import PROVIDER_CURRENCY

_ROWS_A_PAGE: Final = 2_000

# A column's name, as in the API's lists, and where it stands. `id` is the first: pages go by it.
_COLUMNS: Final[Mapping[str, str]] = {
    "id": "pk",
    "kind": "kind",
    "provider_id": "provider_id",
    "name": "name",
    "region": "region",
    "status": "status",
    "tenant_id": "tenant_id",
    "deployment": "deployment__slug",
    "deployment_id": "deployment_id",
    "project": "project__name",
    "project_id": "project_id",
    "tags": "tags",
    "attrs": "attrs",
    "provider_created_at": "provider_created_at",
    "first_seen_at": "first_seen_at",
    "last_seen_at": "last_seen_at",
    "deleted_at": "deleted_at",
}
_OPERATORS_COLUMNS: Final[Mapping[str, str]] = {
    **_COLUMNS,
    "provider": "provider",
    "urn": "urn",
    "attributed_by": "attributed_by",
    "attribution_note": "attribution_note",
    "monthly_price_cents": "monthly_price_cents",
    "stale_strike_count": "stale_strike_count",
    "currency": "currency",
}

# A cell that begins so is run as a formula by spreadsheets, the last four (in full width) by some. Source:
# OWASP, "CSV Injection".
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = Sequence[Any]  # Any: whatever the columns hold


class Format(StrEnum):
    """What an export can be written as."""

    CSV = "csv"
    JSON = "json"


_MEDIA_TYPES: Final[Mapping[Format, str]] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
}


def export(resources: ResourceQuerySet, form: Format, *, for_operator: bool) -> Iterator[bytes]:
    """Write `resources` out, oldest first, in pieces of UTF-8. What the provider charges is for operators.

    The first piece is read before this returns: a database that is away is an error, and not a file that
    ends early. JSON is one array, CSV has a line of names and RFC 4180's line ends.
    """
    columns = _OPERATORS_COLUMNS if for_operator else _COLUMNS
    pages = _pages(resources, tuple(columns.values()))
    write = {Format.CSV: _csv, Format.JSON: _json}[form]
    pieces = write(tuple(columns), pages)
    return chain([next(pieces)], pieces)


def download(
    resources: ResourceQuerySet, form: Format, *, for_operator: bool, on: date
) -> StreamingHttpResponse:
    """An export as a browser keeps it: a file whose name has the day `on`."""
    pieces = export(resources, form, for_operator=for_operator)
    return StreamingHttpResponse(pieces, headers=_headers(form, on))


def download_head(form: Format, *, on: date) -> HttpResponse:
    """What HEAD answers: the download's headers, without reading a row."""
    return HttpResponse(headers=_headers(form, on))


def _headers(form: Format, on: date) -> dict[str, str]:
    return {
        "Content-Type": _MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="inventory-{on.isoformat()}.{form}"',
        "Cache-Control": "no-store",
    }


def _pages(resources: ResourceQuerySet, fields: Sequence[str]) -> Iterator[list[Row]]:
    """The rows by pages, at least one page. A query each, as fast at the end as at the beginning."""
    rows = resources.annotate(currency=Value(PROVIDER_CURRENCY)).order_by("pk").values_list(*fields)
    last = 0
    while True:
        page: list[Row] = list(rows.filter(pk__gt=last)[:_ROWS_A_PAGE])
        yield page
        if len(page) < _ROWS_A_PAGE:
            return
        last = page[-1][0]


def _csv(names: Sequence[str], pages: Iterable[list[Row]]) -> Iterator[bytes]:
    text = StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    for page in pages:
        writer.writerows([_cell(value) for value in row] for row in page)
        if text.tell():
            yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> str | int:
    """A value of a row as a spreadsheet may show it, never run as a formula."""
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        text = ", ".join(value)
    elif isinstance(value, datetime | dict):
        text = msgspec.json.encode(value).decode().strip('"')
    else:
        text = value or ""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _json(names: Sequence[str], pages: Iterable[list[Row]]) -> Iterator[bytes]:
    before = b"["
    for page in pages:
        rows = [msgspec.json.encode(dict(zip(names, row, strict=True))) for row in page]
        if rows:
            yield before + b"\n" + b",\n".join(rows)
            before = b","
    yield (b"[" if before == b"[" else b"") + b"\n]\n"
