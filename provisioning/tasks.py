"""The workers' way in, and the schedule's."""

from celery import shared_task

from provisioning.engine.runner import run


@shared_task(name="provisioning.advance_saga")
def advance_saga(saga_id: int) -> dict[str, str]:
    """Walk a saga as far as it goes; return how the walk ended."""
    return {"walk": str(run(saga_id))}
