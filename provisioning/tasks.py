"""The workers' way in, and the schedule's."""

from celery import shared_task

from provisioning import orphans, recovery
from provisioning.engine.runner import run, run_due

_TURN_SECONDS = 2.0


@shared_task(name="provisioning.advance_saga")
def advance_saga(saga_id: int) -> dict[str, str]:
    """Walk a saga as far as it goes; return how the walk ended."""
    return {"walk": str(run(saga_id))}


@shared_task(name="provisioning.walk_due_sagas")
def walk_due_sagas() -> dict[str, int]:
    """Walk every saga that is due, for a while; return how many were walked."""
    return {"walked": run_due(seconds=_TURN_SECONDS)}


@shared_task(name="provisioning.sweep")
def sweep() -> dict[str, int]:
    """Every 10 seconds: nudge for the sagas that nobody was told of, alert of those that take too long."""
    return recovery.sweep()


@shared_task(name="provisioning.report_strays")
def report_strays() -> dict[str, int]:
    """Hourly: alert of what carries a saga's mark and belongs to none; return how many there are."""
    return {"strays": orphans.report_strays()}
