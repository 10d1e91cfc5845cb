"""One HTTP call to DigitalOcean, and when it may be made again."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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

from arcadia_cloud.digitalocean.credentials import api_token
from arcadia_cloud.digitalocean.rate_limit.budget import Budget
from arcadia_cloud.digitalocean.redaction import Hidden
from arcadia_cloud.digitalocean.responses import Answer, Failure, failure_of, fault_of, read_body
from arcadia_cloud.digitalocean.text_stream import text_lines

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
ATTEMPTS: Final = 6
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 20.0
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class _Bearer(AuthBase):
    """Puts the purpose's token on a request as it leaves, so that a rotated one is picked up."""

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = Hidden(f"Bearer {api_token(self._purpose)}")
        return request


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None
    accept: str = "application/json"

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
        budget: Budget,
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
        self._auth = _Bearer(purpose)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "arcadia-cloud"
        adapter = HTTPAdapter(max_retries=Retry(0, read=False), pool_connections=1, pool_maxsize=1)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        self._session.close()

    def send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        """Make one call, again where that is safe; a wait for the rate budget isn't counted as its time.

        Raises ProviderUnavailable, ProviderRejected, ProviderMalformed, BudgetExhausted, MissingToken.
        """
        encoded = None if body is None else msgspec.json.encode(body)
        return self._tried(_Call(method, path, params or {}, encoded), self._whole)

    @contextmanager
    def stream(self, path: str, *, accept: str) -> Iterator[Iterator[str]]:
        """GET a long text; yields its lines, see `text_lines`, with its errors.

        The call is made again until a good answer begins, and not after that: the reader has its first lines.
        """
        response = self._tried(_Call("GET", path, {}, None, accept), self._begun)
        try:
            yield text_lines(response, call=f"GET {path}")
        finally:
            response.close()

    def _tried(self, call: _Call, once: Callable[[_Call, float], T | Failure]) -> T:
        """The outcome of one call, or of its repetitions until it is good or the time is up."""
        if not call.path.startswith("/"):
            raise ValueError("a path starts with a slash")
        deadline = time.monotonic() + self._give_up_after
        for attempt in count(1):
            deadline += self._budget.take()
            if call.method != "GET" and self._before_write is not None:
                self._before_write(sum(self._timeout))  # only now: the budget may have kept us waiting
            outcome = once(call, deadline)
            if not isinstance(outcome, Failure):
                return outcome
            wait = _wait_before_next(outcome, attempt, deadline)
            if call.method != "GET" or wait is None:
                raise outcome.error
            _tell(call, outcome, attempt, wait)
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _whole(self, call: _Call, deadline: float) -> Answer | Failure:
        """A good answer, read to its end."""
        response = self._begun(call, deadline)
        return response if isinstance(response, Failure) else self._read(response, call, deadline)

    def _begun(self, call: _Call, deadline: float) -> requests.Response | Failure:
        """One request; a good answer's body is still to be read, and the connection to be closed.

        A fault's exception is let go before ours is raised: its frames hold the token.
        """
        self.calls += 1
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
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except _FAULTS as error:
            return fault_of(error, call=str(call), changes=call.method != "GET")
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            self._budget.correct(response.headers)
            return response
        refusal = self._read(response, call, deadline)
        if isinstance(refusal, Failure):
            return refusal
        failure = failure_of(response, refusal.body, call=str(call), changes=call.method != "GET")
        self._budget.correct(response.headers)
        if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._budget.pause(failure.retry_after or FIRST_BACKOFF_SECONDS)
        return failure

    def _read(self, response: requests.Response, call: _Call, deadline: float) -> Answer | Failure:
        try:
            return Answer(response.status_code, read_body(response, deadline, str(call)))
        except _FAULTS as error:
            return fault_of(error, call=str(call), changes=call.method != "GET")
        finally:
            response.close()


def _wait_before_next(failure: Failure, attempt: int, deadline: float) -> float | None:
    """Seconds of back-off with full jitter, no less than the provider asked for; None to give up."""
    if not failure.repeatable or attempt >= ATTEMPTS:
        return None
    ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1))
    wait = (failure.retry_after or 0.0) + random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
    return wait if time.monotonic() + wait < deadline else None


def _tell(call: _Call, failure: Failure, attempt: int, wait: float) -> None:
    log.warning(
        "provider_call_repeated",
        call=str(call),
        status=failure.error.status,
        reason=failure.error.message,
        request_id=failure.error.request_id,
        attempt=attempt,
        wait_seconds=round(wait, 3),
    )
