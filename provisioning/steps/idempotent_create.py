"""Creates that happen once, by an API that has no idempotency keys.

What a step makes carries a mark of its saga and step, and is looked up by it before it is made. When an
earlier attempt may have sent the same request and its answer is not known (it was lost, or the worker died),
lists are believed only once they had time to catch up: until then the step waits instead of asking again.
"""

from datetime import datetime, timedelta

from django.conf import settings

from provisioning.contract import StepState, Wait
from provisioning.steps.cloud import poll


def list_lag_ends_at(state: StepState) -> datetime | None:
    """Return the moment from which lists show whatever earlier attempts made; None where there was none.

    A compensation counts from when the step was last entered before it.
    """
    if state.last_began_at is None:
        return None
    return state.last_began_at + timedelta(seconds=settings.ARCADIA_SAGA_TAG_LAG_SECONDS)


def wait_for_listing(state: StepState, until: datetime | None, *, of: str) -> Wait | None:
    """Return a wait while lists may still lack what was asked for before; None once they may be believed."""
    seconds = 0.0 if until is None else (until - state.now()).total_seconds()
    if seconds <= 0:
        return None
    # Never longer than the usual pause: what shows early is adopted early.
    soon = poll(f"looking whether an earlier attempt made {of}")
    return Wait(min(soon.seconds, seconds), soon.reason)
