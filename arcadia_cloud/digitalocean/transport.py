"""The HTTP transport to DigitalOcean: one call, and its repetitions where those are safe."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import count
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import structlog
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from arcadia_cloud.digitalocean.account_check import ACCOUNT_PATH, account_checks
from arcadia_cloud.digitalocean.call_observers import report_call
from arcadia_cloud.digitalocean.credentials import api_token
from arcadia_cloud.digitalocean.decoder import decode_object
from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.digitalocean.records import AccountRecord
from arcadia_cloud.digitalocean.redaction import SecretStr
from arcadia_cloud.digitalocean.responses import (
    ApiResponse,
    CallFailure,
    failure_of_exception,
    failure_of_response,
    failure_of_unexpected,
    is_too_heavy,
    read_body,
)
from arcadia_cloud.digitalocean.text_stream import text_lines

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
ATTEMPTS: Final = 6
_TIMEOUTS_OF_A_HEAVY_PAGE: Final = 2
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 20.0
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class _Bearer(AuthBase):
    """A token, put on a request as it leaves, so that no frame of ours has a header with it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = SecretStr(f"Bearer {self._token}")
        return request


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None
    accept: str = "application/json"
    may_be_heavy: bool = False
    token: SecretStr | None = None  # that of the attempt; None: still to be read and checked

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Transport:
    """A session with one base URL and one purpose's token.

    A GET is made again on connection faults, 429 and 5xx, within `give_up_after` seconds in all. No other
    method is ever made twice: DigitalOcean has no idempotency keys.
    """

    def __init__(
        self,
        purpose: str,
        *,
        base_url: str,
        budget: RateBudget,
        read_seconds: float,
        give_up_after: float,
        before_write: Callable[[float], None] | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError("the base URL must be http(s)://host[:port][/path]")
        self.calls = 0
        self._base = base_url.rstrip("/")
        self._budget = budget
        self._timeout = (min(CONNECT_SECONDS, read_seconds), read_seconds)
        self._give_up_after = give_up_after
        self._before_write = before_write
        self._purpose = purpose
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "arcadia-cloud"
        adapter = HTTPAdapter(max_retries=Retry(0, read=False), pool_connections=1, pool_maxsize=1)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        self._session.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        may_be_heavy: bool = False,
    ) -> ApiResponse:
        """Make one call, again where that is safe; a wait for the rate budget isn't counted as its time.

        With `may_be_heavy` one that times out twice is left to the caller, who can ask for less.
        Raises ProviderUnavailable, ProviderRejected, ProviderMalformed, BudgetExhausted, MissingToken,
        WrongAccount.
        """
        encoded = None if body is None else msgspec.json.encode(body)
        call = _Call(method, path, params or {}, encoded, may_be_heavy=may_be_heavy)
        return self._call_with_retries(call, self._fetch)

    def verify_account(self) -> AccountRecord:
        """Ask for the account of the purpose's token, and check that it is ours. Raises as `send`."""
        return self._verify_account(api_token(self._purpose))

    @contextmanager
    def stream(self, path: str, *, accept: str) -> Iterator[Iterator[str]]:
        """GET a long text; yields its lines, see `text_lines`, with its errors.

        The call is made again until a good response begins, not after: the reader has its first lines.
        """
        response = self._call_with_retries(_Call("GET", path, {}, None, accept), self._open)
        try:
            yield text_lines(response, call=f"GET {path}")
        finally:
            response.close()

    def _call_with_retries(self, call: _Call, once: Callable[[_Call, float], T | CallFailure]) -> T:
        """Make the call, a GET repeatedly until it is good or the time is up."""
        if not call.path.startswith("/"):
            raise ValueError("a path starts with a slash")
        deadline = time.monotonic() + self._give_up_after
        for attempt in count(1):
            # Read and checked for each attempt, and sent with this one: a token may be swapped at any time.
            token = call.token or api_token(self._purpose)
            is_checked = call.token is not None or call.path == ACCOUNT_PATH
            if not is_checked and account_checks.is_needed(self._base, token):
                self._verify_account(token)
            deadline += self._budget.take()
            if call.method != "GET" and self._before_write is not None:
                # After the budget, which may have kept us waiting: a lease lost meanwhile is noticed here.
                self._before_write(sum(self._timeout))
            outcome = once(replace(call, token=token), deadline)
            if not isinstance(outcome, CallFailure):
                return outcome
            wait = _backoff_seconds(outcome, attempt, deadline)
            if call.may_be_heavy and attempt >= _TIMEOUTS_OF_A_HEAVY_PAGE and is_too_heavy(outcome.error):
                raise outcome.error
            # No other method is made twice: after a timeout the change may have been made.
            if call.method != "GET" or wait is None:
                raise outcome.error
            log.warning(
                "provider_call_repeated",
                call=str(call),
                status=outcome.error.status,
                reason=outcome.error.message,
                # Not `request_id`: that is our own, and bound to the line of a request of ours.
                provider_request_id=outcome.error.request_id,
                attempt=attempt,
                wait_seconds=round(wait, 3),
            )
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _verify_account(self, token: SecretStr) -> AccountRecord:
        call = _Call("GET", ACCOUNT_PATH, {}, None, token=token)
        response = self._call_with_retries(call, self._fetch)
        account = decode_object(response, AccountRecord, "account", call=str(call))
        account_checks.require_ours(account, base_url=self._base, token=token)
        return account

    def _fetch(self, call: _Call, deadline: float) -> ApiResponse | CallFailure:
        """Send one request and read a good response to its end."""
        response = self._open(call, deadline)
        return response if isinstance(response, CallFailure) else self._read(response, call, deadline)

    def _open(self, call: _Call, deadline: float) -> requests.Response | CallFailure:
        """Send one request; a good response's body is still to be read, and the connection to be closed."""
        self.calls += 1
        began = time.monotonic()
        status: int | None = None
        headers = {"Accept": call.accept}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._session.request(
                call.method,
                self._base + call.path,
                params=call.params,
                data=call.body,
                headers=headers,
                auth=None if call.token is None else _Bearer(call.token),
                timeout=self._timeout,
                allow_redirects=False,  # the token would go along to wherever they lead
                stream=True,  # so that a body that drips, or has no end, can be given up
            )
            status = response.status_code
        except _FAULTS as error:
            # Returned, not raised: the exception's frames hold the token, and would be the context of ours.
            return failure_of_exception(error, call=str(call), changes=call.method != "GET")
        except Exception as error:  # noqa: BLE001 - requests raises what it likes: this is its one boundary
            return failure_of_unexpected(error, call=str(call), changes=call.method != "GET")
        finally:
            report_call(call.method, status, time.monotonic() - began)
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            self._budget.correct(response.headers)
            return response
        refusal = self._read(response, call, deadline)
        if isinstance(refusal, CallFailure):
            return refusal
        failure = failure_of_response(response, refusal.body, call=str(call), changes=call.method != "GET")
        self._budget.correct(response.headers)
        if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._budget.pause(failure.retry_after or FIRST_BACKOFF_SECONDS)
        return failure

    def _read(self, response: requests.Response, call: _Call, deadline: float) -> ApiResponse | CallFailure:
        try:
            return ApiResponse(response.status_code, read_body(response, deadline, str(call)))
        except ProviderError:
            raise
        except _FAULTS as error:
            return failure_of_exception(error, call=str(call), changes=call.method != "GET")
        except Exception as error:  # noqa: BLE001 - as above
            return failure_of_unexpected(error, call=str(call), changes=call.method != "GET")
        finally:
            response.close()


def _backoff_seconds(failure: CallFailure, attempt: int, deadline: float) -> float | None:
    """Return the back-off with full jitter, no less than the provider asked for; None to give up."""
    if not failure.repeatable or attempt >= ATTEMPTS:
        return None
    ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1))
    wait = (failure.retry_after or 0.0) + random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
    return wait if time.monotonic() + wait < deadline else None
