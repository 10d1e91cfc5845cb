"""A step's access to DigitalOcean: a client for each call, and its errors as the saga's."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Final, TypeAlias

from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import (
    BudgetExhausted,
    MissingToken,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from provisioning.contract import Execute, FinalError, RetryableError, StepState, Wait

PURPOSE: Final = "PROVISIONING"
TOKEN_REFUSED: Final = "token_refused"  # noqa: S105 - an alert's code
_UNAUTHORIZED: Final = 401
_TOKEN_POLL_SECONDS: Final = 15.0
# With pauses of 1, 2, 4 … 60 seconds these last for five minutes, as long as an event may hold a droplet.
RETRIES: Final = 10
# A compensation outlives an outage of an hour: one that fails leaves what costs money, or is switched off.
COMPENSATION_RETRIES: Final = 70
# Of any action; DigitalOcean's own Terraform provider gives up then.
ACTION_DEADLINE_SECONDS: Final = 3600.0
# A write is sent soon after its step was entered: only from there can a later attempt count what lists lag.
_FRESH_SECONDS: Final = 10.0
# Conflict, unprocessable, locked.
PASSING_STATUSES: Final = frozenset({409, 422, 423})
# Seen in public clients and reports of DigitalOcean's API; what a droplet itself shows decides beside them.
_PASSING_WORDS: Final = (
    "pending event",
    "blocking event",
    "event in progress",
    "already in progress",
    "is currently on",  # its state shows `off` seconds before a resize believes it
    "is currently off",
    "must be powered off",
    "is locked",
    "currently locked",
    "temporarily",
    "try again",
)
_SHORTEST_POLL_SECONDS: Final = 0.05

CloudStep: TypeAlias = Callable[[StepState, DigitalOcean], Wait | None]


class _Stale(Exception):
    """Too much time went by before a write: nothing was sent, and the step is entered anew."""


def with_cloud(step: CloudStep) -> Execute:
    """Give the step a client, whose every write first makes sure that the lease is still held.

    An answer that was lost is retried: it is the step's duty to look for what it made before it asks again.
    """

    @wraps(step)
    def called(state: StepState) -> Wait | None:
        def before_write(seconds: float) -> None:
            # A later attempt counts the lists' lag from the entry: what is sent long after would escape it.
            if (state.now() - state.began_at).total_seconds() > _FRESH_SECONDS:
                raise _Stale
            state.extend_lease_for(seconds)

        with DigitalOcean(
            PURPOSE, give_up_after=settings.DO_TIMEOUT_SECONDS, before_write=before_write
        ) as cloud:
            try:
                return step(state, cloud)
            except _Stale:
                return Wait(0, "the calls to DigitalOcean were slow; nothing was sent")
            except ProviderError as error:
                return _wait_or_raise(error)

    return called


def _wait_or_raise(error: ProviderError) -> Wait:
    """Return the wait that an error asks for, or raise it as a saga knows it.

    A spent hour of calls and a token that is missing or refused are waited for: neither is of this saga
    alone. What may pass (no answer, a storm, a garbled answer, another event on the droplet) is retryable;
    any other refusal is final.
    """
    if isinstance(error, BudgetExhausted):
        return Wait(max((error.frees_at - datetime.now(UTC)).total_seconds(), 1.0), error.message)
    if isinstance(error, MissingToken) or error.status == _UNAUTHORIZED:
        return _wait_for_token(str(error))
    if isinstance(error, ProviderUnavailable):
        raise RetryableError(str(error), after_seconds=error.retry_after or 0) from error
    if isinstance(error, ProviderRejected) and not is_passing(error):
        raise FinalError(str(error)) from error
    raise RetryableError(str(error)) from error


def _wait_for_token(reason: str) -> Wait:
    """Raise the alert of the token, and wait: nothing was done, and a token is rotated or restored.

    A wait and no error: retries would be used up by what concerns every saga at once.
    """
    raise_alert(
        code=TOKEN_REFUSED,
        subject=f"token:{PURPOSE}",
        message=f"DigitalOcean refuses the token for {PURPOSE}, and sagas wait for a good one: {reason}",
        severity=Alert.Severity.CRITICAL,
        details={"purpose": PURPOSE},
    )
    return Wait(max(settings.ARCADIA_SAGA_POLL_SECONDS, _TOKEN_POLL_SECONDS), "the token is refused")


def is_passing(error: ProviderRejected) -> bool:
    """Return whether a refusal is one of those that are known to pass by themselves."""
    message = error.message.lower()
    return error.status in PASSING_STATUSES and any(words in message for words in _PASSING_WORDS)


def poll(reason: str) -> Wait:
    """Return a wait of the usual pause, after which the step is entered again."""
    return Wait(max(settings.ARCADIA_SAGA_POLL_SECONDS, _SHORTEST_POLL_SECONDS), reason)
