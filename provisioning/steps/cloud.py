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
    ProviderMalformed,
    ProviderRejected,
    ProviderUnavailable,
)
from provisioning.contract import Execute, FinalError, RetryableError, StepState, Wait

# With pauses of 1, 2, 4 … 60 seconds these last for five minutes, as long as an event may hold a droplet.
RETRIES: Final = 10
# A compensation outlives an outage of an hour: one that fails leaves what costs money, or is switched off.
COMPENSATION_RETRIES: Final = 70
# Of any action; DigitalOcean's own Terraform provider gives up then.
ACTION_DEADLINE_SECONDS: Final = 3600.0
# A write is sent soon after its step was entered: only from there can a later attempt count what lists lag.
_FRESH_SECONDS: Final = 10.0
_SHORTEST_POLL_SECONDS: Final = 0.05
_UNPROCESSABLE: Final = 422

CloudStep: TypeAlias = Callable[[StepState, DigitalOcean], Wait | None]


class _Stale(Exception):
    """Too much time went by before a write: nothing was sent, and the step is entered anew."""


def with_cloud(step: CloudStep) -> Execute:
    """Give the step a client, whose every write first makes sure that the lease is still held.

    What may pass (no answer, a storm, a garbled answer, a missing token, another event on the droplet) is
    retried; a spent hour of calls is waited for; any other refusal is final. An answer that was lost is
    retried as well: it is the step's duty to look for what it made before it asks again.
    """

    @wraps(step)
    def called(state: StepState) -> Wait | None:
        def before_write(seconds: float) -> None:
            # A later attempt counts the lists' lag from the entry: what is sent long after would escape it.
            if (state.now() - state.began_at).total_seconds() > _FRESH_SECONDS:
                raise _Stale
            state.extend_lease_for(seconds)

        with DigitalOcean(
            "PROVISIONING", give_up_after=settings.DO_TIMEOUT_SECONDS, before_write=before_write
        ) as cloud:
            try:
                return step(state, cloud)
            except _Stale:
                return Wait(0, "the calls to DigitalOcean were slow; nothing was sent")
            except BudgetExhausted as spent:  # no error: other callers may spend an hour's calls any day
                seconds = (spent.frees_at - datetime.now(UTC)).total_seconds()
                return Wait(max(seconds, 1.0), spent.message)
            except ProviderUnavailable as error:
                raise RetryableError(str(error), after_seconds=error.retry_after or 0) from error
            except (ProviderMalformed, MissingToken) as error:
                raise RetryableError(str(error)) from error
            except ProviderRejected as error:
                if is_pending_event(error):
                    raise RetryableError(str(error)) from error
                raise FinalError(str(error)) from error

    return called


def is_pending_event(error: ProviderRejected) -> bool:
    """Return whether the droplet is busy with another event: one at a time. It passes."""
    return error.status == _UNPROCESSABLE and "pending event" in error.message


def poll(reason: str) -> Wait:
    """Return a wait of the usual pause, after which the step is entered again."""
    return Wait(max(settings.ARCADIA_SAGA_POLL_SECONDS, _SHORTEST_POLL_SECONDS), reason)
