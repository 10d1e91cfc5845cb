"""The mirror of the provider's projects, and which resource is in which."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderRejected
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import ProjectRecord, ProjectResourceRecord
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.sql import execute, load
from inventory.models import Project
from inventory.sync.paging import read_all
from inventory.sync.run_records import Progress
from inventory.values import OPERATORS_PROJECT, PROVIDER

_PROJECTS: Final = Listing("/v2/projects", "projects", ProjectRecord)
_MIRROR: Final = load(__package__, "mirror_projects.sql")


@dataclass(frozen=True, slots=True)
class Membership:
    """The project of each resource, `{urn: pk of the project}`, as it was at `asked_at`."""

    projects: int
    project_of: Mapping[str, int]
    asked_at: datetime


def sync_projects(cloud: DigitalOcean, *, progress: Progress, now: Callable[[], datetime]) -> Membership:
    """Mirror every project and read which resources are in it.

    Makes the operators' own project at the provider when there is none. Writes only after everything was
    read: a list that breaks off changes nothing. Raises ProviderError.
    """
    # Before the list is read: a project that a saga makes meanwhile isn't in the list, and lives.
    asked_at = now()
    records = list(read_all(cloud, _PROJECTS, progress=progress))
    if not _operators_project_in(records):
        ensure_operators_project(cloud)
        asked_at = now()
        records = list(read_all(cloud, _PROJECTS, progress=progress))
    members = {
        record.id: [
            resource.urn
            for resource in read_all(
                cloud,
                Listing(f"/v2/projects/{record.id}/resources", "resources", ProjectResourceRecord),
                progress=progress,
            )
        ]
        for record in records
    }
    pks = mirror_projects(records, at=asked_at)
    # One that a newer list doesn't have any more has no row; the next sync knows where its resources are.
    project_of = {urn: pks[project] for project, urns in members.items() if project in pks for urn in urns}
    return Membership(len(records), project_of, asked_at)


def ensure_operators_project(cloud: DigitalOcean) -> None:
    """Make the operators' own project unless the provider has it; two at once make one.

    Raises ProviderError.
    """
    with lease(f"bootstrap:{OPERATORS_PROJECT}", wait_seconds=60):
        # Looked for again under the lease: another process may have made it while this one waited.
        if _operators_project_in(cloud.projects()):
            return
        try:
            cloud.create_project(
                name=OPERATORS_PROJECT,
                purpose="Operational / Developer tooling",
                description="What the operator runs for itself.",
                environment="Production",
            )
        except ProviderRejected:
            # Names are unique there: a refusal may mean that it was made by hand a moment ago.
            if not _operators_project_in(cloud.projects()):
                raise


def _operators_project_in(records: Iterable[ProjectRecord]) -> bool:
    return any(record.name == OPERATORS_PROJECT for record in records)


@transaction.atomic
def mirror_projects(records: Iterable[ProjectRecord], *, at: datetime) -> dict[str, int]:
    """Write the complete list of projects, asked for at `at`; return `{provider's id: pk}`.

    `tenant_id` and `purpose` belong to the operator: purpose is written once, with the row. A project
    that isn't in the list any more gets its `deleted_at`; one that returns loses it. What was seen of a
    project later than `at` stays.
    """
    batch = msgspec.json.encode([_to_row(record) for record in records]).decode()
    execute(_MIRROR, {"provider": PROVIDER, "batch": batch, "at": at})
    # Older than this list alone: a project that was seen later than it is no loss.
    Project.objects.filter(provider=PROVIDER, deleted_at=None, last_seen_at__lt=at).update(deleted_at=at)
    return dict(Project.objects.filter(provider=PROVIDER, deleted_at=None).values_list("provider_id", "pk"))


def _to_row(record: ProjectRecord) -> dict[str, Any]:
    return {
        "provider_id": record.id,
        "name": record.name,
        "description": record.description,
        "purpose": record.purpose,
        "environment": record.environment,
        "is_default": record.is_default,
        "attrs": {"purpose": record.purpose},
    }
