"""The call that we make to the finance service."""

import re
import time
from http import HTTPStatus
from typing import Any, Final, Literal, Self

import msgspec
import requests
import urllib3
from django.conf import settings

from arcadia_cloud.finance.errors import FinanceError, FinanceRejected, FinanceUnavailable
from arcadia_cloud.finance.invoices import FinanceAnswer, FinanceInvoice
from arcadia_cloud.finance.tokens import FinanceAuth

IMPORT_PATH: Final = "/api/v1/integrations/cloud/import-invoice"
CONNECT_SECONDS: Final = 5.0
LONGEST_ANSWER: Final = 1024 * 1024  # bytes; a good one has under two hundred
LONGEST_MESSAGE: Final = 500  # characters
LONGEST_WAIT_SECONDS: Final = 3600.0
_CHUNK: Final = 64 * 1024
_FAULTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_JWT: Final = re.compile(r"\bey[\w-]+\.[\w-]+(?:\.[\w-]*)?", re.ASCII)
_NUL: Final = "\0"  # JSON can say it, PostgreSQL can't keep it: the outcome would never be written
_WORDS: Final = ("message", "error", "detail", "errors", "title")


class _Taken(msgspec.Struct, frozen=True):
    action: Literal["created", "updated"]
    invoice_id: str | int


class Finance:
    """The finance service, as SKYAI_FINANCE_* tell it. Close it; one per thread.

    Nothing is repeated in here: the row of an invoice that wasn't taken is what brings it again. Whether
    anything is to be pushed at all, SKYAI_FINANCE_ENABLED, is the caller's to look at.
    """

    def __init__(self, *, base_url: str | None = None, timeout: float | None = None) -> None:
        self._url = (base_url or settings.SKYAI_FINANCE_URL).rstrip("/") + IMPORT_PATH
        self._seconds = timeout or settings.SKYAI_FINANCE_TIMEOUT_SECONDS
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "arcadia-cloud"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def import_invoice(self, invoice: FinanceInvoice) -> FinanceAnswer:
        """Tell finance of an invoice; a repeat updates the one row that it has of it.

        Raises FinanceUnavailable (push again later) or FinanceRejected (don't, until somebody has looked).
        """
        body = msgspec.json.encode(invoice.body(tenant_id=settings.SKYAI_FINANCE_TENANT_ID))
        outcome = self._sent(body)
        if isinstance(outcome, FinanceError):
            raise outcome
        return outcome

    def _sent(self, body: bytes) -> FinanceAnswer | FinanceError:
        """A fault's exception is let go before ours is raised: its frames hold the token."""
        try:
            response = self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json"},
                auth=FinanceAuth(),
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                allow_redirects=False,
                stream=True,
            )
            try:
                answered = _read(response, time.monotonic() + self._seconds)
            finally:
                response.close()
        except _FAULTS as error:
            return FinanceUnavailable(_reason(error))
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return _taken(response, answered)
        return _failure(response, answered)


def _read(response: requests.Response, deadline: float) -> bytes:
    """The body, as far as it is of use. Raises TimeoutError on one that drips."""
    found = b""
    while len(found) <= LONGEST_ANSWER and (chunk := response.raw.read1(_CHUNK, decode_content=True)):
        found += chunk
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return found


def _taken(response: requests.Response, body: bytes) -> FinanceAnswer | FinanceError:
    """What finance did. An answer that doesn't say is no success: a proxy may have spoken in its place."""
    try:
        taken = msgspec.json.decode(body, type=_Taken)
    except _UNREADABLE:
        taken = None
    if taken is None or taken.invoice_id == "" or _NUL in str(taken.invoice_id):
        words = f"the answer doesn't say what was done ({_described(response, body)})"
        return FinanceUnavailable(words, status=response.status_code)
    return FinanceAnswer(taken.action, str(taken.invoice_id))


def _failure(response: requests.Response, body: bytes) -> FinanceError:
    status = response.status_code
    words = _words(response, body)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return FinanceUnavailable(words, status=status, retry_after=_retry_after(response))
    return FinanceRejected(words, status=status)


def _words(response: requests.Response, body: bytes) -> str:
    """Finance's own words, without what looks like a token, or what the answer is where it has none."""
    if response.is_redirect:
        return "redirected elsewhere; the token isn't sent on"
    found: Any
    try:
        found = msgspec.json.decode(body)
    except _UNREADABLE:
        found = None
    told = next((found[name] for name in _WORDS if found.get(name)), "") if isinstance(found, dict) else ""
    text = (told if isinstance(told, str) else msgspec.json.encode(told).decode()).replace(_NUL, "")
    token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
    for secret in (token, settings.SKYAI_FINANCE_JWT_SECRET):
        text = text.replace(secret, "[redacted]") if secret else text
    return _JWT.sub("[redacted]", text)[:LONGEST_MESSAGE] or _described(response, body)


def _described(response: requests.Response, body: bytes) -> str:
    """What an answer looks like; its text stays out, since nobody knows what it holds."""
    kind = response.headers.get("content-type", "no type").split(";")[0]
    return f"{response.reason or 'no reason'}, {len(body)} bytes of {kind}"


def _retry_after(response: requests.Response) -> float | None:
    told = response.headers.get("retry-after", "").strip()
    return min(float(told), LONGEST_WAIT_SECONDS) if told.isascii() and told.isdigit() else None


def _reason(error: BaseException) -> str:
    """Our words: a library's may quote what was sent, or an address with a password."""
    names, told = set(), ""
    cause: Any = error
    while isinstance(cause, BaseException):
        names.add(type(cause).__name__)
        told = (cause.strerror if isinstance(cause, OSError) else None) or told
        inner = next((each for each in cause.args if isinstance(each, BaseException)), None)
        cause = getattr(cause, "reason", None) or inner or cause.__cause__ or cause.__context__
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "no connection within the time limit"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return "no answer within the time limit"
    return f"the connection failed: {told or type(error).__name__}"
