"""The mirror of the provider's projects, and which resource is in which."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted, ProviderRejected
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import ProjectRecord, ProjectResourceRecord
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.sql import execute, load
from inventory.models import Project
from inventory.sync.paging import CountMismatch, read_all
from inventory.sync.readings import (
    Reading,
    ReadingInterrupted,
    drop_reading,
    load_reading,
    store_reading,
    unfinished_readings,
)
from inventory.sync.run_records import Progress
from inventory.values import OPERATORS_PROJECT, PROVIDER

_PROJECTS: Final = Listing("/v2/projects", "projects", ProjectRecord)
_READINGS: Final = "project:"  # the names of unfinished readings of projects' resources begin so
_MIRROR: Final = load(__package__, "mirror_projects.sql")


@dataclass(frozen=True, slots=True)
class Membership:
    """The project of each resource, `{urn: pk of the project}`, as it was at `asked_at`.

    Of `left_out` projects the resources were not read, or not to the end of their list; `oldest_kept` is when
    the one of them that was read longest ago was read. What isn't named here stays in its project.
    """

    projects: int
    project_of: Mapping[str, int]
    asked_at: datetime
    left_out: int = 0
    oldest_kept: datetime | None = None

    def describe_kept(self) -> str:
        """Return what was left out, "" where nothing was."""
        if not self.oldest_kept:
            return ""
        return (
            f"the resources of {self.projects - self.left_out} of {self.projects} projects were read, those "
            f"read longest ago first; the oldest kept are of {self.oldest_kept:%Y-%m-%d %H:%M} UTC: "
            "the hour's calls don't reach for more"
        )


def sync_projects(cloud: DigitalOcean, *, progress: Progress, now: Callable[[], datetime]) -> Membership:
    """Mirror every project and read which resources are in it.

    Makes the operators' own project at the provider when there is none. Writes only after everything was
    read: a list that breaks off changes nothing. Where the run's calls don't reach for every project, those
    read longest ago come first. Raises ProviderError, ReadingInterrupted where the worker is being stopped.
    """
    # Before the list is read: a project that a saga makes meanwhile isn't in the list, and lives.
    asked_at = now()
    records = list(read_all(cloud, _PROJECTS, progress=progress))
    if not _operators_project_in(records):
        ensure_operators_project(cloud)
        asked_at = now()
        records = list(read_all(cloud, _PROJECTS, progress=progress))
    known = Project.objects.filter(provider=PROVIDER, deleted_at=None).only(
        "provider_id", "resources_read_at", "first_seen_at"
    )
    read_at = {row.provider_id: row.resources_read_at or row.first_seen_at for row in known}
    never = datetime.min.replace(tzinfo=UTC)
    by_turn = sorted((record.id for record in records), key=lambda project: read_at.get(project, never))
    members, finished = _read_members(cloud, by_turn, progress, at=asked_at)
    pks = mirror_projects(records, at=asked_at)
    Project.objects.filter(provider=PROVIDER, provider_id__in=finished).update(resources_read_at=asked_at)
    # One that a newer list doesn't have any more has no row; the next sync knows where its resources are.
    project_of = {urn: pks[project] for project, urns in members.items() if project in pks for urn in urns}
    kept = [read_at.get(project, asked_at) for project in by_turn if project not in finished]
    return Membership(len(records), project_of, asked_at, len(kept), min(kept, default=None))


def _read_members(
    cloud: DigitalOcean, projects: Iterable[str], progress: Progress, *, at: datetime
) -> tuple[dict[str, list[str]], set[str]]:
    """Read the URNs in each project until the run's calls are spent; return them, and whose are whole."""
    members: dict[str, list[str]] = {}
    finished: set[str] = set()
    unfinished = unfinished_readings(_READINGS)
    for project in projects:
        name, calls = f"{_READINGS}{project}", cloud.calls
        reading = load_reading(name, at=at) if name in unfinished else Reading(at)
        listing = Listing(f"/v2/projects/{project}/resources", "resources", ProjectResourceRecord)
        urns = members.setdefault(project, [])
        try:
            progress.assert_may_go_on()
            for resource in read_all(cloud, listing, progress=progress, position=reading.position):
                urns.append(resource.urn)
        except (ReadingInterrupted, BudgetExhausted) as error:
            if isinstance(error, ReadingInterrupted) and not error.is_short_of_calls:
                raise
            if reading.position.can_be_resumed:
                store_reading(name, reading, calls=cloud.calls - calls)
            break
        except CountMismatch:
            drop_reading(name)
            raise
        if name in unfinished:
            drop_reading(name)
        finished.add(project)
    return members, finished


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


# The whole list at once: half of it would make the rest look deleted.
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
