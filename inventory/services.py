"""The only door for writes: what the edges of inventory and the apps above it call.

What is re-exported here stands in the room named after the work: `sync/`, `observation/`, `attribution/`.
"""

from collections.abc import Sequence
from typing import Final

from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.queue.nudge import nudge, publish_now
from inventory.attribution.assign import (
    assign,
    clear_assignment,
    mark_ours,
    reattribute,
    reattribute_project,
)
from inventory.event_log import DriftEvent, record_drift_detected
from inventory.kinds import registry
from inventory.models import Project, SyncRun
from inventory.observation.observe import ObservationContext, ObservationCounts, Origin, observe
from inventory.observation.spans import disown_spans
from inventory.sync.hooks import register as register_discovery_hook
from inventory.sync.paging import read_all
from inventory.sync.projects import mirror_projects, sync_projects
from inventory.sync.reader import look_up
from inventory.sync.retention import delete_old_runs
from inventory.sync.run import ReportProgress, Sync
from inventory.sync.run_records import Progress, is_interrupted
from inventory.sync.tombstones import tombstone_removed
from inventory.values import RunMode

__all__ = [
    "DriftEvent",
    "ObservationContext",
    "ObservationCounts",
    "Origin",
    "Progress",
    "ReportProgress",
    "assign",
    "clear_assignment",
    "delete_old_runs",
    "disown_spans",
    "give_project",
    "look_up",
    "mark_ours",
    "mirror_projects",
    "observe",
    "read_all",
    "reattribute",
    "reattribute_project",
    "record_drift_detected",
    "register_discovery_hook",
    "request_reattribution",
    "request_sync",
    "set_project_purpose",
    "sync_inventory",
    "sync_projects",
    "tombstone_removed",
]

_LEASE_WAIT_SECONDS: Final = 120  # at :15 the fast run may hold a kind's lease; a full one outwaits it


def sync_inventory(
    *,
    mode: RunMode,
    actor: str,
    kinds: Sequence[str] = (),
    confirm_loss: bool = False,
    report: ReportProgress | None = None,
) -> list[SyncRun]:
    """Sync these kinds, or every kind of `mode`; return a run per kind, the projects' first.

    A full pass also goes on with the slow kinds whose last run was interrupted.
    `actor` is recorded in the history of what happens. `confirm_loss` lets a suspicious loss through.
    Raises InvalidInput for an unknown kind and MissingToken without a token.
    """
    specs = registry.specs_named(kinds) if kinds else registry.specs_of_mode(mode)
    if mode == RunMode.FULL and not kinds:
        # Else a slow kind that needs more than an hour's calls would be read over as many days.
        specs += [spec for spec in registry.specs_of_mode(RunMode.SLOW) if is_interrupted(str(spec.kind))]
    with DigitalOcean("SYNC") as cloud:
        sync = Sync(
            cloud,
            mode,
            actor,
            confirm_loss=confirm_loss,
            lease_wait_seconds=0 if mode == RunMode.FAST else _LEASE_WAIT_SECONDS,
            report=report,
        )
        return sync.run(specs)


def give_project(*, project_pk: int, tenant_id: str | None, actor: str) -> bool:
    """Give a project to a tenant, or with None back to the operator; return whether that changed anything.

    Its resources follow within moments, by a task. Raises NotFound.
    """
    with transaction.atomic():
        # Locked, so that of two operators at once the second sees what the first has given.
        project = Project.objects.select_for_update().filter(pk=project_pk).first()
        if project is None:
            raise NotFound(f"there is no project {project_pk}")
        if project.tenant_id == tenant_id:
            return False
        project.tenant_id = tenant_id
        project.save(update_fields=["tenant_id"])  # nothing else: a sync may have renamed it meanwhile
        request_reattribution(project_pk=project_pk, actor=actor)
    return True


def set_project_purpose(*, project_pk: int, purpose: str) -> None:
    """Write the operator's purpose of a project; the provider's own stays in its attrs."""
    Project.objects.filter(pk=project_pk).update(purpose=purpose)


def request_reattribution(*, project_pk: int, actor: str) -> None:
    """Have the resources of a project follow its new tenant, once the transaction commits.

    Where the broker is away they follow at their next sync.
    """
    nudge("inventory.reattribute_project", queue="cloud_sync_full", project_pk=project_pk, actor=actor)


def request_sync(*, mode: RunMode, actor: str, must_reach_broker: bool = False) -> None:
    """Ask the workers for a sync of every kind of `mode`, once the transaction commits.

    A broker that is away leaves it to the schedule, silently. With `must_reach_broker` the request is
    sent at once instead, and BrokerAway raised when it can't be: for callers that report the result.
    """
    publish = publish_now if must_reach_broker else nudge
    publish("inventory.sync", queue=f"cloud_sync_{mode}", mode=str(mode), actor=actor)
