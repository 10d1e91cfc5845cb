"""Errors of the provider, sorted by what the caller should do about them."""

from datetime import datetime
from functools import partial
from typing import Any

from arcadia_cloud.digitalocean.redaction import redact


class ProviderError(Exception):
    """DigitalOcean did not give what was asked for.

    `status` is the HTTP status (None where there was no answer), `error_id` and `request_id` are the
    provider's own (empty where it gave none), `message` is its message or ours. `outcome_unknown`: a change
    may have been made although no good response came: look before asking again.
    No text in here holds a token.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        error_id: str = "",
        request_id: str = "",
        call: str = "",
        outcome_unknown: bool = False,
    ) -> None:
        self.message = redact(message)
        self.status = status
        self.error_id = redact(error_id)
        self.request_id = redact(request_id)
        self.call = redact(call)
        self.outcome_unknown = outcome_unknown
        super().__init__(self.message)

    def __str__(self) -> str:
        code = " ".join(str(part) for part in (self.status, self.error_id) if part)
        head = ": ".join(part for part in (self.call, code, self.message) if part)
        return f"{head} (request {self.request_id})" if self.request_id else head


class ProviderUnavailable(ProviderError):
    """No answer, or none for now (connection fault, timeout, 429, 5xx): the same call may work later.

    `retry_after`: the seconds that the provider asks to wait, where it does.
    """

    retry_after: float | None = None


class BudgetExhausted(ProviderUnavailable):
    """The hour's calls are spent; `frees_at` (UTC) is when there is room for one again. Nothing was sent."""

    def __init__(self, message: str, *, frees_at: datetime) -> None:
        super().__init__(message)
        self.frees_at = frees_at

    def __reduce__(self) -> tuple[object, ...]:
        # A worker's error is pickled; by default only the message would come along.
        return partial(BudgetExhausted, frees_at=self.frees_at), (self.message,)


class ProviderRejected(ProviderError):
    """A refusal (4xx, or a redirect): asking the same again brings the same answer."""


class ProviderNotFound(ProviderRejected):
    """404: it isn't there, or not for this token."""


class ProviderForbidden(ProviderRejected):
    """401 or 403: the token is wrong, or lacks a scope."""


class ProviderMalformed(ProviderError):
    """A response that isn't what the mapping needs.

    `item` names the record at fault by its id (`droplets 3164444`), or by its index where it has none;
    `field` is the path inside it. Both are empty where the whole response is at fault. A change with
    such a response may well have been made.
    """

    item: str = ""
    field: str = ""

    def __init__(self, message: str, *, call: str = "", **details: Any) -> None:
        details.setdefault("outcome_unknown", call != "" and not call.startswith("GET "))
        super().__init__(message, call=call, **details)


class MissingToken(ProviderError):
    """No usable token is configured; the message names the variables."""


class WrongAccount(MissingToken):
    """The token belongs to another account than ours: it is as good as none, until the right one is there."""


class MissingSpacesKeys(MissingToken):
    """No keys for Spaces are configured, as where Spaces isn't used; no fault in itself."""
