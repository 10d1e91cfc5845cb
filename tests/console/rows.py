"""Rows for the console to show."""

from datetime import timedelta

from arcadia_cloud.kernel.alerts import raise_alert
from deployments.models import Deployment
from inventory.models import Project, Resource, ResourceEvent, SyncRun
from inventory.values import RunMode, RunOutcome
from tests.inventory.observations import START, a_project, minute, observed, seen

EVERY_LIST = (
    "inventory/resource",
    "inventory/project",
    "inventory/syncrun",
    "inventory/resourceevent",
    "deployments/deployment",
    "kernel/alert",
    "kernel/lease",
    "django_celery_beat/periodictask",
)
ACCESS_LISTS = ("auth/user", "auth/group", "axes/accessattempt", "admin/logentry")


def a_run(number: int = 1, *, kind: str = "droplet", outcome: str = RunOutcome.COMPLETE) -> SyncRun:
    """A run; a running one has seen 40 of 100."""
    running = outcome == RunOutcome.RUNNING
    return SyncRun.objects.create(
        kind=kind,
        mode=RunMode.FULL,
        requested_by="a test",
        started_at=minute(number),
        finished_at=None if running else minute(number) + timedelta(seconds=72),
        outcome=outcome,
        seen=40,
        expected=100,
        error="DigitalOcean answered 503" if outcome == RunOutcome.FAILED else "",
    )


def some_of_everything(count: int) -> None:
    """So many rows of every table that has a list, each resource in a project and with a deployment."""
    first = Resource.objects.count()
    for number in range(first, first + count):
        project = a_project(f"project-{number}", tenant_id=f"tenant-{number}")
        Deployment.objects.create(tenant_id=f"tenant-{number}", slug=f"app-{number}")
        observed(seen(str(number), project_id=project.pk), source=f"run:{a_run(number).pk}")
        raise_alert(code="test", subject=f"row:{number}", message="Something is wrong")
    for resource in Resource.objects.filter(deployment=None):
        deployment = Deployment.objects.get(tenant_id=resource.tenant_id)
        Resource.objects.filter(pk=resource.pk).update(deployment=deployment)


__all__ = ["START", "Project", "ResourceEvent", "a_run", "some_of_everything"]
