"""HTTP responses, and the errors that a bad one, or the lack of one, becomes."""

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
LONGEST_BODY_BYTES: Final = 64 * 1024 * 1024  # bytes, unpacked; a page of 200 droplets has under one megabyte
# What the decoder raises on bytes that are no JSON, on text that is no UTF-8, and on nesting without end.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REDIRECTED: Final = "redirected elsewhere; the token isn't sent on"
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
class ApiResponse:
    """A response that came whole: its status and its body, unpacked. Its repr leaves the body out."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallFailure:
    """An error in place of a good response. `retry_after`: the seconds that the provider asks to wait."""

    error: ProviderError
    repeatable: bool
    retry_after: float | None = None


def read_body(response: requests.Response, deadline: float, call: str) -> bytes:
    """Read the whole body; give up on a server that drips, or sends without end.

    Raises ProviderMalformed past 64 MiB, TimeoutError past the deadline (of `time.monotonic`), urllib3's
    HTTPError where the connection ends before the body does.
    """
    chunks: list[bytes] = []
    size = 0
    # `read` would wait for a whole chunk, past the deadline; `read1` returns what has come.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > LONGEST_BODY_BYTES:
            raise ProviderMalformed(f"the answer is longer than {LONGEST_BODY_BYTES} bytes", call=call)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return b"".join(chunks)


def failure_of_exception(error: Exception, *, call: str, changes: bool) -> CallFailure:
    """Convert a failed connection. The text is ours: a library's may quote what was sent."""
    causes: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        each = queue.pop(0)
        if isinstance(each, BaseException) and each not in causes:
            causes.append(each)
            # urllib3 keeps the cause in `reason` or among its arguments, and sets no `__cause__`.
            queue += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
    names = {type(cause).__name__ for cause in causes}
    reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        text = "no connection within the time limit"
    elif names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        text = "no answer within the time limit"
    else:
        text = f"the connection failed: {reason or type(causes[-1]).__name__}"
    # A change that never left can't have been made; of any other nobody knows.
    never_sent = any(isinstance(cause, _NEVER_SENT) for cause in causes)
    unavailable = ProviderUnavailable(text, call=call, outcome_unknown=changes and not never_sent)
    return CallFailure(unavailable, repeatable=True)


def failure_of_response(response: requests.Response, body: bytes, *, call: str, changes: bool) -> CallFailure:
    """Convert a response that isn't 2xx into the error to raise, and whether a GET may be made again."""
    status = response.status_code
    details = _ErrorBody.parse(response, body)
    unavailable = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = ProviderUnavailable if unavailable else _REFUSALS.get(status, ProviderRejected)
    error = kind(
        details.message,
        status=status,
        error_id=details.error_id,
        request_id=details.request_id,
        call=call,
        outcome_unknown=changes and status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    wait = parse_retry_after(response.headers, status=status) if unavailable else None
    if isinstance(error, ProviderUnavailable):
        error.retry_after = wait
    return CallFailure(error, repeatable=unavailable, retry_after=wait)


@dataclass(frozen=True, slots=True)
class _ErrorBody:
    error_id: str
    message: str
    request_id: str

    @classmethod
    def parse(cls, response: requests.Response, body: bytes) -> "_ErrorBody":
        """Read `{"id", "message", "request_id"}`, the older `{"error", "messages"}`, or an edge's HTML."""
        found: Any
        try:
            found = msgspec.json.decode(body)
        except UNREADABLE:
            found = None
        if not isinstance(found, dict):
            kind = response.headers.get("content-type", "unknown type").split(";")[0]
            text = f"{response.reason or 'no reason'} ({len(body)} bytes of {kind})"
            found = {"message": _REDIRECTED if response.is_redirect else text}
        messages = found.get("messages") if isinstance(found.get("messages"), list) else []
        message = found.get("message") or "; ".join(str(each) for each in messages) or "no reason was given"
        token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
        request_id = found.get("request_id") or response.headers.get("x-request-id") or ""
        texts = (found.get("id") or found.get("error") or "", message, request_id)
        return cls(*(redact(str(text), token) for text in texts))


def parse_retry_after(headers: Mapping[str, str], *, status: int) -> float | None:
    """Read the seconds to wait: `retry-after` (seconds or a date), else, of a 429, `ratelimit-reset` (epoch).

    The reset has been seen in the past, and an hour ahead while only the minute was spent; one that lies
    more than a minute away is no hint. No header makes us wait longer than an hour, whatever number it holds.
    Source: API reference, "Rate Limit".
    """
    if (text := headers.get("retry-after")) is not None:
        if text.strip().isascii() and text.strip().isdigit():
            return min(float(text), LONGEST_WAIT_SECONDS)
        try:
            ahead = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            return min(max(0.0, ahead), LONGEST_WAIT_SECONDS)
        except (ValueError, TypeError, OverflowError):
            pass
    reset = headers.get("ratelimit-reset", "") if status == HTTPStatus.TOO_MANY_REQUESTS else ""
    if reset.isascii() and reset.isdigit() and 0.0 < (ahead := float(reset) - time.time()) <= 60.0:  # noqa: PLR2004
        return ahead
    return None
