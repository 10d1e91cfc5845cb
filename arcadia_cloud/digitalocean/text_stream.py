"""A stream of text lines: a long response in memory that doesn't grow with it."""

import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import requests
import urllib3

from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.responses import failure_of_exception

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_TEXT: Final = 4 * 1024 * 1024 * 1024  # bytes, unpacked
LONGEST_LINE: Final = 1024 * 1024  # characters; what has no line breaks is no table
LONGEST_SECONDS: Final = 3600.0  # the reader's own time counts, too
_MARKUP: Final = ("<", "{")
_CHUNK: Final = 256 * 1024
_OTHER_TYPES: Final = ("text/html", "application/json", "application/xml")


def text_lines(response: requests.Response, *, call: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 body with their ends, whichever they are; a byte-order mark is dropped.

    Raises ProviderUnavailable where the connection fails, or ends before the announced length or the last
    chunk; ProviderMalformed where it isn't a text table, or one without end. A response that announces
    neither length nor chunks ends where the connection does: what it adds up to has to be looked at.
    """
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in _OTHER_TYPES:
        raise ProviderMalformed(f"not a table of text: {kind}", call=call)
    # A byte that isn't UTF-8 passes as a lone surrogate: the reader of the table can name its row.
    body = io.TextIOWrapper(
        io.BufferedReader(_Body(response, call), _CHUNK),
        encoding="utf-8-sig",
        errors="surrogateescape",
        newline="",
    )
    line = _next_line(body, call)
    if line.lstrip().startswith(_MARKUP):
        raise ProviderMalformed("not a table of text: it begins as markup does", call=call)
    while line:
        if len(line) >= LONGEST_LINE:
            raise ProviderMalformed(f"a line is longer than {LONGEST_LINE} characters", call=call)
        yield line
        line = _next_line(body, call)


def _next_line(body: io.TextIOWrapper, call: str) -> str:
    try:
        return body.readline(LONGEST_LINE)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        fault = failure_of_exception(error, call=call, changes=False).error
    # Raised out here: a fault's frames hold the token.
    raise fault


class _Body(io.RawIOBase):
    """The bytes of a response as a file. They are read as they come, and no further."""

    def __init__(self, response: requests.Response, call: str) -> None:
        self._response = response
        self._call = call
        self._size = 0
        self._deadline = time.monotonic() + LONGEST_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        chunk = self._response.raw.read1(len(view), decode_content=True)
        self._size += len(chunk)
        if self._size > LONGEST_TEXT:
            raise ProviderMalformed(f"the answer is longer than {LONGEST_TEXT} bytes", call=self._call)
        if time.monotonic() > self._deadline:
            raise TimeoutError("the answer took too long")
        view[: len(chunk)] = chunk
        return len(chunk)
