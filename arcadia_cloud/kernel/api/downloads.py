"""Rows as a file: CSV or JSON, streamed in bounded memory, for few clients at a time.

Rows are read by primary key, a page at a time, and not through a server-side cursor: that would need one
transaction as long as the slowest client, and doesn't work behind PgBouncer. So a file is no snapshot: each
row is as it was when its page was read, and none is missing or there twice.
"""

import csv
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from io import StringIO
from itertools import chain
from typing import Any, ClassVar, Final

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from arcadia_cloud.kernel.errors import DomainError

_ROWS_A_PAGE: Final = 2_000
_BYTES_A_PIECE: Final = 65_536  # what a client must take before the web server takes it for stalled
# A download keeps a thread of the web server for as long as its client likes. Each process has four.
_DOWNLOADS_AT_ONCE: Final = 2
# A cell that begins so is run as a formula by spreadsheets, the last four (in full width) by some. Source:
# OWASP, "CSV Injection".
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = Sequence[Any]  # Any: whatever the columns hold


class Format(StrEnum):
    """A format of a file of rows."""

    CSV = "csv"
    JSON = "json"


_MEDIA_TYPES: Final[Mapping[Format, str]] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
}


class TooManyDownloads(DomainError):
    """Another one would leave too few threads for everybody else."""

    code = "too_many_downloads"
    status = 429
    retry_after_seconds: ClassVar[int | None] = 10


class DownloadPlaces:
    """The few places that this process has for downloads, one for an owner."""

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
        """Free the owner's place."""
        with self._lock:
            self._taken.discard(owner)


_PLACES: Final = DownloadPlaces()


class Download(Iterator[bytes]):
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
        """Free the place: the web server calls this whether the client took all or left."""
        self._pieces.close()
        if self._give_back is not None:
            self._give_back()
            self._give_back = None

    def __del__(self) -> None:
        self.close()


def file_pieces(rows: QuerySet[Any, Any], columns: Mapping[str, str], form: Format) -> Iterator[bytes]:
    """Write rows out, oldest first, in pieces of UTF-8. `columns` maps names to lookups; the first is `pk`.

    The first piece is read before this returns: a database that is away is an error, and not a file that
    ends early. JSON is one array, CSV has a line of names and RFC 4180's line ends.
    """
    pages = _pages(rows.order_by("pk").values_list(*columns.values()))
    write = {Format.CSV: _csv, Format.JSON: _json}[form]
    pieces = write(tuple(columns), pages)
    return chain([next(pieces)], pieces)


def download(
    begin: Callable[[], Iterator[bytes]], *, name: str, form: Format, owner: str
) -> StreamingHttpResponse:
    """Return the file `name` as a browser keeps it; `begin` starts reading its pieces.

    `owner` names who downloads: one at a time each, and no more than two in this process. Raises
    TooManyDownloads.
    """
    _PLACES.take(owner)
    try:
        pieces = begin()
    except BaseException:
        _PLACES.give_back(owner)
        raise
    return StreamingHttpResponse(
        Download(pieces, partial(_PLACES.give_back, owner)), headers=_headers(name, form)
    )


def download_head(*, name: str, form: Format) -> HttpResponse:
    """Return what HEAD answers: the download's headers, without reading a row."""
    return HttpResponse(headers=_headers(name, form))


def _headers(name: str, form: Format) -> dict[str, str]:
    return {
        "Content-Type": _MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="{name}.{form}"',
        "Cache-Control": "no-store",
    }


def _pages(rows: QuerySet[Any, Any]) -> Iterator[list[Row]]:
    """Yield the rows by pages, at least one page. A query each, as fast at the end as at the beginning."""
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
        writer.writerows([safe_cell(value) for value in row] for row in page)
        if text.tell() > 0:
            yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def safe_cell(value: Any) -> str | int:
    """Return a value of a row as a spreadsheet may show it, never run as a formula."""
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
