"""What an HTTP answer, or the lack of one, means for the caller."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec
import requests
import urllib3

from arcadia_cloud.digitalocean.errors import (
    ProviderError,
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.redaction import redact

LONGEST_WAIT_SECONDS: Final = 3600.0  # DigitalOcean's longest window of calls
LONGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes, unpacked; a page of 200 droplets has under one megabyte
# What the decoder raises on bytes that are no JSON, on text that is no UTF-8, and on nesting without end.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CHUNK: Final = 256 * 1024
_NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    urllib3.exceptions.NewConnectionError,
)
_REFUSALS: Final[Mapping[int, type[ProviderRejected]]] = {
    HTTPStatus.UNAUTHORIZED: ProviderForbidden,
    HTTPStatus.FORBIDDEN: ProviderForbidden,
    HTTPStatus.NOT_FOUND: ProviderNotFound,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole: its status and its body, unpacked. Its repr doesn't tell what it carries."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no good answer. `retry_after`: the seconds that the provider asks to wait, if it does."""

    error: ProviderError
    repeatable: bool
    retry_after: float | None = None


def read_body(response: requests.Response, deadline: float, call: str) -> bytes:
    """The whole body. A server that drips, or sends without end, is given up.

    Raises ProviderMalformed past 64 MiB, TimeoutError past the deadline (of `time.monotonic`), urllib3's
    HTTPError where the connection ends before the body does.
    """
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > LONGEST_ANSWER:
            raise ProviderMalformed(f"the answer is longer than {LONGEST_ANSWER} bytes", call=call)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return b"".join(chunks)


def fault_of(error: Exception, *, call: str, changes: bool) -> Failure:
    """A connection that failed. The text is ours: a library's may quote what was sent."""
    never_sent = any(isinstance(cause, _NEVER_SENT) for cause in _causes(error))
    unavailable = ProviderUnavailable(_reason(error), call=call, outcome_unknown=changes and not never_sent)
    return Failure(unavailable, repeatable=True)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, outermost first."""
    found: list[BaseException] = []
    open_: list[Any] = [error]
    while open_:
        each = open_.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            open_ += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
    return found


def _reason(error: Exception) -> str:
    causes = _causes(error)
    names = {type(cause).__name__ for cause in causes}
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "no connection within the time limit"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return "no answer within the time limit"
    told = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return f"the connection failed: {told or type(causes[-1]).__name__}"


def failure_of(response: requests.Response, body: bytes, *, call: str, changes: bool) -> Failure:
    """An answer that isn't 2xx, as the error to raise and whether a GET may be made again."""
    status = response.status_code
    told = _Told.read(response, body)
    unavailable = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = ProviderUnavailable if unavailable else _REFUSALS.get(status, ProviderRejected)
    error = kind(
        told.message,
        status=status,
        error_id=told.error_id,
        request_id=told.request_id,
        call=call,
        outcome_unknown=changes and status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    wait = retry_after(response.headers, status=status) if unavailable else None
    if isinstance(error, ProviderUnavailable):
        error.retry_after = wait
    return Failure(error, repeatable=unavailable, retry_after=wait)


@dataclass(frozen=True, slots=True)
class _Told:
    error_id: str
    message: str
    request_id: str

    @classmethod
    def read(cls, response: requests.Response, body: bytes) -> "_Told":
        """`{"id", "message", "request_id"}`, the older `{"error", "messages"}`, or whatever an edge sends."""
        found: Any
        try:
            found = msgspec.json.decode(body)
        except UNREADABLE:
            found = None
        if not isinstance(found, dict):
            found = {"message": _without_json(response, body)}
        messages = found.get("messages") if isinstance(found.get("messages"), list) else []
        message = found.get("message") or "; ".join(str(each) for each in messages) or "no reason was told"
        token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
        request_id = found.get("request_id") or response.headers.get("x-request-id") or ""
        texts = (found.get("id") or found.get("error") or "", message, request_id)
        return cls(*(redact(str(text), token) for text in texts))


def _without_json(response: requests.Response, body: bytes) -> str:
    if response.is_redirect:
        return "redirected elsewhere; the token isn't sent on"
    kind = response.headers.get("content-type", "unknown type").split(";")[0]
    return f"{response.reason or 'no reason'} ({len(body)} bytes of {kind})"


def retry_after(headers: Mapping[str, str], *, status: int) -> float | None:
    """Seconds to wait: `retry-after` (seconds or a date), else, of a 429, `ratelimit-reset` (epoch seconds).

    The reset has been seen in the past, and an hour ahead while only the minute was spent; one that lies
    more than a minute away is no hint. No header makes us wait longer than an hour, whatever number it holds.
    Source: API reference, "Rate Limit".
    """
    if (told := headers.get("retry-after")) is not None:
        if told.strip().isascii() and told.strip().isdigit():
            return min(float(told), LONGEST_WAIT_SECONDS)
        try:
            ahead = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
            return min(max(0.0, ahead), LONGEST_WAIT_SECONDS)
        except (ValueError, TypeError, OverflowError):
            pass
    reset = headers.get("ratelimit-reset", "") if status == HTTPStatus.TOO_MANY_REQUESTS else ""
    if reset.isascii() and reset.isdigit() and 0.0 < (ahead := float(reset) - time.time()) <= 60.0:  # noqa: PLR2004
        return ahead
    return None
