"""The scheduled syncs. Each is thin: the rows tell what happened."""

from celery import shared_task
from django.utils import timezone

from inventory.attribution.assign import reattribute_project
from inventory.services import sync_inventory
from inventory.sync.run_records import forget_old_runs
from inventory.values import RunMode


@shared_task(name="inventory.sync")
def sync(mode: str, requested_by: str = "schedule") -> dict[str, str]:
    """Sync every kind of a schedule; return `{kind: outcome}`."""
    runs = sync_inventory(mode=RunMode(mode), requested_by=requested_by)
    return {run.kind: str(run.outcome) for run in runs}


@shared_task(name="inventory.reattribute_project")
def follow_project(project_pk: int, requested_by: str) -> dict[str, int]:
    """Decide anew whose a project's resources are; return how many changed hands."""
    source = f"project:{project_pk}"
    return {"changed": reattribute_project(project_pk=project_pk, actor=requested_by, source=source)}


@shared_task(name="inventory.forget_old_runs")
def forget_old_sync_runs() -> dict[str, int]:
    """Keep 90 days of sync runs; return how many went."""
    return {"deleted": forget_old_runs(at=timezone.now())}
