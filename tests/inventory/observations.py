"""Observations of a sync or a saga, made by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from deployments.models import Deployment
from inventory.models import Project, Resource, ResourceEvent, SyncRun
from inventory.observation.observe import ObservationContext, ObservationCounts, Origin, observe
from inventory.sync import tombstones
from inventory.values import Kind, Observation

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
VOLATILE = ("locked",)


def minute(number: float) -> datetime:
    """So many minutes after the start of the story."""
    return START + timedelta(minutes=number)


def seen(provider_id: str = "1", **fields: Any) -> Observation:
    """Make a droplet as it is at first, but for `fields`."""
    look: dict[str, Any] = {
        "name": f"web-{provider_id}",
        "urn": f"do:droplet:{provider_id}",
        "region": "fra1",
        "status": "active",
        "tags": ["env:test"],
        "attrs": {"size_slug": "s-1vcpu-1gb", "locked": False},
        "monthly_price_cents": 600,
        "created_at": minute(-60),
        "can_attribute": "project_id" in fields,
    }
    return Observation(provider_id=provider_id, **{**look, **fields})


def observed(
    *observations: Observation,
    at: datetime = START,
    kind: Kind = Kind.DROPLET,
    bump_unchanged: bool = True,
    source: str = "run:1",
    project_asked_at: datetime | None = None,
    ids_recur: bool = False,
) -> ObservationCounts:
    """Pass them through the one way in."""
    return observe(
        kind=kind,
        observations=observations,
        context=ObservationContext(
            at=at,
            volatile=VOLATILE,
            bump_unchanged=bump_unchanged,
            project_asked_at=project_asked_at,
            ids_recur=ids_recur,
        ),
        origin=Origin(actor="a test", source=source),
    )


def history(provider_id: str = "1") -> list[str]:
    """Return the types of a resource's events, oldest first."""
    return list(_events(provider_id).values_list("event_type", flat=True))


def last_changes(provider_id: str = "1") -> dict[str, Any]:
    """Return the changes of the newest event."""
    event = _events(provider_id).last()
    assert event is not None
    changes: dict[str, Any] = event.changes
    return changes


def _events(provider_id: str) -> Any:  # Any: the stubs type a queryset after order_by as its own class
    return ResourceEvent.objects.filter(resource__provider_id=provider_id).order_by("pk")


def a_deployment(tenant_id: str, slug: str) -> Deployment:
    return Deployment.objects.create(tenant_id=tenant_id, slug=slug)


def the_resource(provider_id: str = "1") -> Resource:
    return Resource.objects.get(provider_id=provider_id)


def a_project(name: str, tenant_id: str | None = None) -> Project:
    return Project.objects.create(
        provider_id=f"project-{name}", name=name, tenant_id=tenant_id, first_seen_at=START, last_seen_at=START
    )


def tombstone(provider_ids: Iterable[str], *, at: datetime) -> None:
    """Tombstone resources the way the third strike does."""
    rows = Resource.objects.filter(provider_id__in=list(provider_ids))
    rows.update(stale_strike_count=3)
    tombstone_rows(list(rows.values_list("pk", flat=True)), at=at)


def tombstone_rows(pks: list[int], *, at: datetime) -> None:
    run = SyncRun.objects.create(kind="droplet", mode="full", requested_by="a test", started_at=at)
    tombstones.tombstone(pks, run=run, at=at, origin=Origin(actor="a test", source=f"run:{run.pk}"))
