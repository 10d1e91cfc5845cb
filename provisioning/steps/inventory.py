"""Resources that a saga touched, observed into the inventory at once."""

from typing import Final

from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.models import Project, Resource
from inventory.queries import kind_spec
from inventory.services import ObservationContext, Origin, disown_spans, observe, tombstone_removed
from inventory.values import PROVIDER, Kind
from provisioning.contract import Step, StepState, Wait
from provisioning.steps.cloud import RETRIES, with_cloud

DROPLET: Final = kind_spec(Kind.DROPLET)
SNAPSHOT: Final = kind_spec(Kind.SNAPSHOT)


def origin_of(state: StepState) -> Origin:
    """Return the saga as a resource's history names it."""
    return Origin(actor=state.requested_by, source=f"saga:{state.saga_id}")


def record_removal(state: StepState, kind: Kind, provider_id: str) -> None:
    """Write the tombstone of a resource that this saga knows to be gone."""
    tombstone_removed(kind=kind, provider_id=provider_id, at=state.now(), origin=origin_of(state))


def record_rollback(state: StepState, kind: Kind, provider_id: str) -> None:
    """Write the tombstone of what this saga made and removed again; no tenant is metered for it."""
    record_removal(state, kind, provider_id)
    # After the tombstone, whatever became of an earlier attempt: the spans of the dead are disowned, too.
    disown_spans(kind=kind, provider_id=provider_id)


def find_droplet_row(droplet_id: int) -> Resource:
    """Return the droplet in the inventory. Raises Resource.DoesNotExist."""
    return Resource.objects.get(provider=PROVIDER, kind=Kind.DROPLET, provider_id=str(droplet_id))


def observe_droplet_now(state: StepState, cloud: DigitalOcean, droplet_id: int) -> DropletRecord | None:
    """Observe a droplet as it is now; None, and a tombstone, where it is gone.

    One that this saga made belongs to the saga's deployment and tenant, and is in its project.
    """
    # The time of asking, not of the answer: a change in between must not look older than the observation.
    context = ObservationContext(at=state.now(), volatile=DROPLET.volatile)
    try:
        droplet = cloud.droplet(droplet_id)
    except ProviderNotFound:
        record_removal(state, Kind.DROPLET, str(droplet_id))
        return None
    seen = DROPLET.to_observation(droplet)
    if state.get_output("droplet_mark") in droplet.tags:
        seen = replace(seen, deployment_id=state.deployment_id, tenant_id=state.tenant_id)
    if (project_id := state.get_output("assigned_to_project")) is not None:
        row = Project.objects.filter(provider=PROVIDER, provider_id=project_id).only("pk").first()
        seen = replace(seen, project_id=row and row.pk)
    observe(kind=DROPLET.kind, observations=[seen], context=context, origin=origin_of(state))
    return droplet


@with_cloud
def observe_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the droplet as it is now into the inventory."""
    observe_droplet_now(state, cloud, state.get_output("droplet_id"))
    return None


@with_cloud
def observe_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the snapshot that was taken into the inventory."""
    context = ObservationContext(at=state.now(), volatile=SNAPSHOT.volatile)
    seen = SNAPSHOT.to_observation(cloud.snapshot(state.get_output("snapshot_id")))
    observe(kind=SNAPSHOT.kind, observations=[seen], context=context, origin=origin_of(state))
    return None


STEPS: Final = (
    Step("observe_droplet", observe_droplet, retries=RETRIES),
    Step("observe_snapshot", observe_snapshot, retries=RETRIES),
)
