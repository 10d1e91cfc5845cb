"""The mirror of the provider's projects, and which resource is in which."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderRejected
from arcadia_cloud.digitalocean.pagination import Listing
from arcadia_cloud.digitalocean.records import ProjectRecord, ProjectResourceRecord
from arcadia_cloud.kernel.leases import lease
from inventory.models import Project
from inventory.sync.paging import read_all
from inventory.sync.run_records import Progress
from inventory.values import OPERATORS_PROJECT, PROVIDER

_PROJECTS: Final = Listing("/v2/projects", "projects", ProjectRecord)


@dataclass(frozen=True, slots=True)
class Membership:
    """Which resource is in which project: `{urn: pk of the project}`."""

    projects: int
    project_of: Mapping[str, int]


def sync_projects(cloud: DigitalOcean, *, progress: Progress, now: Callable[[], datetime]) -> Membership:
    """Mirror every project and read which resources are in it.

    Makes the operators' own project at the provider when there is none. Writes only after everything was
    read: a list that breaks off changes nothing. Raises ProviderError.
    """
    records = list(read_all(cloud, _PROJECTS, progress=progress))
    if not _operators_project_in(records):
        ensure_operators_project(cloud)
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
    pks = mirror_projects(records, at=now())
    project_of = {urn: pks[project] for project, urns in members.items() for urn in urns}
    return Membership(len(records), project_of)


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
    """Write the complete list of projects; return `{provider's id: pk}`.

    `tenant_id` and `purpose` belong to the operator: purpose is written once, with the row. A project
    that isn't in the list any more gets its `deleted_at`; one that returns loses it.
    """
    rows = [_to_row(record, at) for record in records]
    Project.objects.bulk_create(
        sorted(rows, key=lambda row: row.provider_id),  # two mirrors at once lock rows in one order
        update_conflicts=True,
        unique_fields=["provider", "provider_id"],
        update_fields=[
            "name",
            "description",
            "environment",
            "is_default",
            "attrs",
            "last_seen_at",
            "deleted_at",
        ],
    )
    # Older than this list alone: a project that was seen later than it is no loss.
    Project.objects.filter(provider=PROVIDER, deleted_at=None, last_seen_at__lt=at).update(deleted_at=at)
    return dict(Project.objects.filter(provider=PROVIDER, deleted_at=None).values_list("provider_id", "pk"))


def _to_row(record: ProjectRecord, at: datetime) -> Project:
    return Project(
        provider=PROVIDER,
        provider_id=record.id,
        name=record.name,
        description=record.description,
        purpose=record.purpose,
        environment=record.environment,
        is_default=record.is_default,
        attrs={"purpose": record.purpose},
        first_seen_at=at,
        last_seen_at=at,
        deleted_at=None,
    )
