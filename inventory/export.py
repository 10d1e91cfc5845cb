"""The inventory as a file: every row that a list's filters leave, as CSV or JSON, in bounded memory.

Rows are read by primary key, a page at a time, and not through a server-side cursor: that would need one
transaction as long as the slowest client, and doesn't work behind PgBouncer. So a file is no snapshot: each
row is as it was when its page was read, and none is missing or there twice.
"""

import csv
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from io import StringIO
from itertools import chain
from typing import Any, ClassVar, Final

import msgspec
from django.db.models import Case, F, Q, Value, When
from django.http import HttpResponse, StreamingHttpResponse

from arcadia_cloud.kernel.errors import DomainError
from inventory.models import ResourceQuerySet
from inventory.values import PROVIDER_CURRENCY

_ROWS_A_PAGE: Final = 2_000
_BYTES_A_PIECE: Final = 65_536  # what a client must take before the web server takes it for stalled
# A download keeps a thread of the web server for as long as its client likes. Each process has four.
_DOWNLOADS_AT_ONCE: Final = 2

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
    "project": "own_project",
    "project_id": "own_project_id",
    "tags": "tags",
    "attrs": "attrs",
    "provider_created_at": "provider_created_at",
    "first_seen_at": "first_seen_at",
    "last_seen_at": "last_seen_at",
    "deleted_at": "deleted_at",
}
_OPERATORS_COLUMNS: Final[Mapping[str, str]] = {
    **_COLUMNS,
    "project": "project__name",
    "project_id": "project_id",
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
    """The formats of an export."""

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


class TooManyDownloads(DomainError):
    """Another one would leave too few threads for everybody else."""

    code = "too_many_downloads"
    status = 429
    retry_after_seconds: ClassVar[int | None] = 10


class _Places:
    """The downloads of this process, by their owners."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, owner: str) -> None:
        """Take a place. Raises TooManyDownloads."""
        with self._lock:
            if owner in self._taken:
                raise TooManyDownloads("Another export of yours is still being downloaded.")
            if len(self._taken) >= _DOWNLOADS_AT_ONCE:
                raise TooManyDownloads("Others are downloading exports now. Try again soon.")
            self._taken.add(owner)

    def give_back(self, owner: str) -> None:
        with self._lock:
            self._taken.discard(owner)


_PLACES: Final = _Places()


class _Download(Iterator[bytes]):
    """Pieces that are no larger than `_BYTES_A_PIECE`. Closed, or dropped, it gives its place back."""

    def __init__(self, pieces: Iterable[bytes], give_back: Callable[[], None]) -> None:
        self._pieces = (
            piece[start : start + _BYTES_A_PIECE]
            for piece in pieces
            for start in range(0, len(piece), _BYTES_A_PIECE)
        )
        self._give_back: Callable[[], None] | None = give_back

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Give the place back; the web server calls this, whether the client took all or left."""
        self._pieces.close()
        if self._give_back is not None:
            self._give_back()
            self._give_back = None

    def __del__(self) -> None:
        self.close()


def download(
    resources: ResourceQuerySet, form: Format, *, for_operator: bool, on: date, owner: str
) -> StreamingHttpResponse:
    """Answer with an export as a download: a file whose name has the day `on`.

    `owner` names who downloads: one at a time each, and no more than two in this process. Raises
    TooManyDownloads.
    """
    _PLACES.take(owner)
    try:
        pieces = export(resources, form, for_operator=for_operator)
    except BaseException:
        _PLACES.give_back(owner)
        raise
    held = _Download(pieces, partial(_PLACES.give_back, owner))
    return StreamingHttpResponse(held, headers=_headers(form, on))


def download_head(form: Format, *, on: date) -> HttpResponse:
    """Answer a HEAD: the download's headers, without reading a row."""
    return HttpResponse(headers=_headers(form, on))


def _headers(form: Format, on: date) -> dict[str, str]:
    return {
        "Content-Type": _MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="inventory-{on.isoformat()}.{form}"',
        "Cache-Control": "no-store",
    }


def _pages(resources: ResourceQuerySet, fields: Sequence[str]) -> Iterator[list[Row]]:
    """Yield the rows by pages, at least one page. A query each, as fast at the end as at the beginning."""
    is_own = Q(project__tenant_id=F("tenant_id"))  # another project's name may be another tenant's
    rows = (
        resources.annotate(
            currency=Value(PROVIDER_CURRENCY),
            own_project=Case(When(is_own, then=F("project__name"))),
            own_project_id=Case(When(is_own, then=F("project_id"))),
        )
        .order_by("pk")
        .values_list(*fields)
    )
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
    """Format a value so that a spreadsheet shows it, and never runs it as a formula."""
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
