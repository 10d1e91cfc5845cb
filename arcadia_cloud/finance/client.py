"""The client of the finance service, with its one call."""

import re
import time
from http import HTTPStatus
from typing import Any, Final, Literal, Self

import msgspec
import requests
import urllib3
from django.conf import settings

from arcadia_cloud.finance.errors import FinanceError, FinanceRejected, FinanceUnavailable
from arcadia_cloud.finance.invoices import FinanceInvoice, FinanceResponse
from arcadia_cloud.finance.tokens import FinanceAuth, finance_secret

IMPORT_PATH: Final = "/api/v1/integrations/cloud/import-invoice"
CONNECT_SECONDS: Final = 5.0
LONGEST_RESPONSE: Final = 1024 * 1024  # bytes; a good one has under two hundred
LONGEST_MESSAGE: Final = 500  # characters
LONGEST_WAIT_SECONDS: Final = 3600.0
_CHUNK: Final = 64 * 1024
_FAULTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_JWT: Final = re.compile(r"\bey[\w-]+\.[\w-]+(?:\.[\w-]*)?", re.ASCII)
_NUL: Final = "\0"  # JSON can hold it, PostgreSQL can't: the outcome would never be stored
_MESSAGE_FIELDS: Final = ("message", "error", "detail", "errors", "title")


class _ImportOutcome(msgspec.Struct, frozen=True):
    action: Literal["created", "updated"]
    invoice_id: str | int


class Finance:
    """The finance service of the settings SKYAI_FINANCE_*. Close it; one per thread.

    Nothing is repeated in here: the row of an invoice brings it again. SKYAI_FINANCE_ENABLED, whether
    anything is to be pushed at all, is the caller's to check.
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

    def import_invoice(self, invoice: FinanceInvoice) -> FinanceResponse:
        """Send an invoice; a repeat updates the one row that finance has of it.

        Raises FinanceUnavailable (push again later) or FinanceRejected (don't, until an operator has looked).
        """
        body = msgspec.json.encode(invoice.body(tenant_id=settings.SKYAI_FINANCE_TENANT_ID))
        outcome = self._post(body)
        if isinstance(outcome, FinanceError):
            raise outcome
        return outcome

    def _post(self, body: bytes) -> FinanceResponse | FinanceError:
        # Errors are returned, not raised: the library's would be their context, whose frames hold the token.
        try:
            response = self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json"},
                auth=FinanceAuth(),
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                allow_redirects=False,  # the token would be sent on
                stream=True,
            )
            try:
                deadline = time.monotonic() + self._seconds
                content = b""
                # One byte too many is enough: a body cut off there is no JSON, and never read as a success.
                while len(content) <= LONGEST_RESPONSE and (
                    chunk := response.raw.read1(_CHUNK, decode_content=True)
                ):
                    content += chunk
                    if time.monotonic() > deadline:  # the library's limit is for each read, not for all
                        raise TimeoutError("the answer took too long")
            finally:
                response.close()
        except _FAULTS as error:
            return FinanceUnavailable(_describe_fault(error))
        status = response.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _parse_outcome(response, content)
        message = _error_message(response, content)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            asked = response.headers.get("retry-after", "").strip()
            is_number = asked.isascii() and asked.isdigit()
            retry_after = min(float(asked), LONGEST_WAIT_SECONDS) if is_number else None
            return FinanceUnavailable(message, status=status, retry_after=retry_after)
        return FinanceRejected(message, status=status)


def _parse_outcome(response: requests.Response, content: bytes) -> FinanceResponse | FinanceError:
    """Read what finance did. A body without it is no success: a proxy may have answered in its place."""
    try:
        outcome = msgspec.json.decode(content, type=_ImportOutcome)
    except _UNREADABLE:
        outcome = None
    if outcome is None or outcome.invoice_id == "" or _NUL in str(outcome.invoice_id):
        message = f"the answer doesn't say what was done ({_describe_response(response, content)})"
        return FinanceUnavailable(message, status=response.status_code)
    return FinanceResponse(outcome.action, str(outcome.invoice_id))


def _error_message(response: requests.Response, content: bytes) -> str:
    """Return finance's own message, without what looks like a token, or a description where it has none."""
    if response.is_redirect:
        return "redirected elsewhere; the token isn't sent on"
    body: Any
    try:
        body = msgspec.json.decode(content)
    except _UNREADABLE:
        body = None
    fields = body if isinstance(body, dict) else {}
    message = next((fields[name] for name in _MESSAGE_FIELDS if fields.get(name)), "")
    text = (message if isinstance(message, str) else msgspec.json.encode(message).decode()).replace(_NUL, "")
    # A service that echoes the request would bring the token into our tables and logs.
    token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
    for secret in (token, finance_secret()):
        text = text.replace(secret, "[redacted]") if secret else text
    return _JWT.sub("[redacted]", text)[:LONGEST_MESSAGE] or _describe_response(response, content)


def _describe_response(response: requests.Response, content: bytes) -> str:
    """Describe a body by its type and length; its text stays out, since it may hold anything."""
    kind = response.headers.get("content-type", "no type").split(";")[0]
    return f"{response.reason or 'no reason'}, {len(content)} bytes of {kind}"


def _describe_fault(error: BaseException) -> str:
    """Describe a connection fault in our words: the library's may quote the request or a password."""
    names, reason = set(), ""
    cause: Any = error
    while isinstance(cause, BaseException):
        names.add(type(cause).__name__)
        reason = (cause.strerror if isinstance(cause, OSError) else None) or reason
        inner = next((each for each in cause.args if isinstance(each, BaseException)), None)
        cause = getattr(cause, "reason", None) or inner or cause.__cause__ or cause.__context__
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "no connection within the time limit"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return "no answer within the time limit"
    return f"the connection failed: {reason or type(error).__name__}"
