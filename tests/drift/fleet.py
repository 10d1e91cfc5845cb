"""Resources with a desired state, made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import F

from drift.detection import sweep_all
from drift.models import Drift
from drift.values import DriftCounts
from inventory.models import Resource
from inventory.values import Kind
from provisioning.models import Provisioned, SagaRun, SagaSubject
from provisioning.states import Direction, SagaStatus

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIZE: Final = "s-1vcpu-1gb"
OTHER_SIZE: Final = "s-2vcpu-4gb"


def hour(number: float) -> datetime:
    """Return so many hours after the start of the story."""
    return START + timedelta(hours=number)


def make_resource(provider_id: str = "1", **fields: Any) -> Resource:
    """Make a droplet in Frankfurt, but for `fields`."""
    row: dict[str, Any] = {
        "kind": Kind.DROPLET,
        "name": f"web-{provider_id}",
        "region": "fra1",
        "status": "active",
        "tags": ["env:test"],
        "attrs": {"size_slug": SIZE, "vcpus": 1, "gpu": None},
        "first_seen_at": START,
        "last_seen_at": START,
    }
    return Resource.objects.create(provider_id=provider_id, **{**row, **fields})


def desire(resource: Resource, **spec: Any) -> Provisioned:
    """Record a desired state: the size and the region, but for `spec`."""
    spec = {"size_slug": SIZE, "region": "fra1", **spec}
    return Provisioned.objects.create(resource=resource, spec=spec)


def drifted(provider_id: str = "1", **fields: Any) -> Resource:
    """Make a droplet that is larger than desired."""
    resource = make_resource(provider_id, **{"attrs": {"size_slug": OTHER_SIZE}, **fields})
    desire(resource)
    return resource


def change(resource: Resource, **attrs: Any) -> None:
    """Change attrs of the live row, as a sync would."""
    Resource.objects.filter(pk=resource.pk).update(
        attrs={**resource.attrs, **attrs}, last_seen_at=F("last_seen_at") + timedelta(minutes=1)
    )
    resource.refresh_from_db()


def sweep(number: float = 1) -> DriftCounts:
    """Sweep, so many hours after the start; without the lease, which wants a transaction of its own."""
    return sweep_all(at=hour(number))


def only_drift() -> Drift:
    """Sweep, and return the one open row."""
    sweep()
    return Drift.objects.open().get()


def saga_on(provider_id: str, status: SagaStatus, *, finished_at: datetime = START) -> SagaRun:
    """Store a saga on this droplet, which nothing advances."""
    subject = f"droplet:{provider_id}"
    ended = status in {SagaStatus.COMPLETED, SagaStatus.ROLLED_BACK, SagaStatus.FAILED}
    saga = SagaRun.objects.create(
        kind="resize_droplet",
        status=status,
        direction=Direction.BACKWARD if status == SagaStatus.ROLLED_BACK else Direction.FORWARD,
        step_modules=[],
        inputs={},
        requested_by="a test",
        subjects=[subject],
        started_at=START,
        finished_at=finished_at if ended else None,
    )
    if status in {SagaStatus.PENDING, SagaStatus.RUNNING, SagaStatus.WAITING, SagaStatus.FAILED}:
        SagaSubject.objects.create(subject=subject, saga=saga)
    return saga
