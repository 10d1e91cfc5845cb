"""Celery entry points of inventory. Each is thin: the rows record what happened."""

from celery import shared_task
from django.utils import timezone

from inventory.services import delete_old_runs, reattribute_project, sync_inventory
from inventory.values import RunMode


@shared_task(name="inventory.sync")
def sync(mode: str, actor: str = "schedule") -> dict[str, str]:
    """Sync every kind of a schedule; return `{kind: outcome}`."""
    runs = sync_inventory(mode=RunMode(mode), actor=actor)
    return {run.kind: str(run.outcome) for run in runs}


@shared_task(name="inventory.reattribute_project")
def follow_project(project_pk: int, actor: str) -> dict[str, int]:
    """Decide the owner of a project's resources anew; return how many changed owners."""
    source = f"project:{project_pk}"
    return {"changed": reattribute_project(project_pk=project_pk, actor=actor, source=source)}


@shared_task(name="inventory.forget_old_runs")
def delete_old_sync_runs() -> dict[str, int]:
    """Delete sync runs older than 90 days; return how many."""
    return {"deleted": delete_old_runs(at=timezone.now())}
