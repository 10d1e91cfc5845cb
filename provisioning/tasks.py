"""The Celery tasks of workers and of the schedule."""

from typing import Final

from celery import shared_task
from django.utils import timezone

from provisioning import orphans, provider_offer, queue, recovery
from provisioning.engine.runner import run, run_due
from provisioning.services import delete_old_feed_events

_TURN_SECONDS: Final = 2.0


@shared_task(name=queue.ADVANCE_SAGA)
def advance_saga(saga_id: int) -> dict[str, str]:
    """Advance a saga as far as it goes; return the outcome."""
    return {"outcome": str(run(saga_id))}


@shared_task(name=queue.ADVANCE_DUE_SAGAS)
def advance_due_sagas() -> dict[str, int]:
    """Advance every saga that is due, for a while; return how many were advanced."""
    return {"advanced": run_due(seconds=_TURN_SECONDS)}


@shared_task(name=queue.SWEEP)
def sweep() -> dict[str, int]:
    """Every 10 seconds: nudge for the sagas whose nudge was lost, alert of those that take too long."""
    return recovery.sweep()


@shared_task(name=queue.REPORT_ORPHANS)
def report_orphans() -> dict[str, int]:
    """Hourly: alert of what carries a saga's tag and belongs to none; return how many there are."""
    return {"orphans": orphans.report_orphans()}


@shared_task(name=queue.READ_OFFER)
def read_provider_offer() -> dict[str, int]:
    """Every quarter of an hour: read sizes and limits, alert of the limits that are near."""
    was_read = provider_offer.read_offer()
    return {"read": int(was_read), "limits_near": provider_offer.report_limits()}


@shared_task(name=queue.DELETE_OLD_FEED_EVENTS)
def delete_old_events() -> dict[str, int]:
    """Daily: delete the events of the feed that are no longer kept; return how many."""
    return {"deleted": delete_old_feed_events(at=timezone.now())}
