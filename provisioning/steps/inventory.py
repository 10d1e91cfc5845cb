"""What a saga touched, observed into the inventory at once, and its desired state."""

from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.kinds.droplet import DROPLET
from inventory.kinds.snapshot import SNAPSHOT
from inventory.kinds.spec import KindSpec
from inventory.models import Project, Resource
from inventory.observation.observe import ObservationContext, observe
from inventory.values import PROVIDER, Kind, Observation
from provisioning.contract import Step, StepState, Wait
from provisioning.desired_state import record_provisioned
from provisioning.models import Provisioned
from provisioning.steps.cloud import RETRIES, with_cloud
from provisioning.steps.droplets.delete import origin_of, tell_removed


def see(state: StepState, entry: KindSpec, seen: Observation, *, look: ObservationContext) -> None:
    """Write what was seen, the way every observation goes in."""
    observe(kind=entry.kind, observations=[seen], context=look, origin=origin_of(state))


def see_droplet(state: StepState, cloud: DigitalOcean, droplet_id: int) -> DropletRecord | None:
    """Observe a droplet as it is now; None, and a tombstone, where it is gone.

    One that this saga made belongs to the saga's deployment and tenant, and is in its project.
    """
    look = ObservationContext(at=state.now(), volatile=DROPLET.volatile)
    try:
        droplet = cloud.droplet(droplet_id)
    except ProviderNotFound:
        tell_removed(state, Kind.DROPLET, str(droplet_id))
        return None
    seen = DROPLET.to_observation(droplet)
    if state.get_output("droplet_mark") in droplet.tags:
        seen = replace(seen, deployment_id=state.deployment_id, tenant_id=state.tenant_id)
    if (project_id := state.get_output("assigned_to_project")) is not None:
        row = Project.objects.filter(provider=PROVIDER, provider_id=project_id).only("pk").first()
        seen = replace(seen, project_id=row and row.pk)
    see(state, DROPLET, seen, look=look)
    return droplet


@with_cloud
def observe_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the droplet as it is now into the inventory."""
    see_droplet(state, cloud, state.get_output("droplet_id"))
    return None


@with_cloud
def observe_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the snapshot that was taken into the inventory."""
    look = ObservationContext(at=state.now(), volatile=SNAPSHOT.volatile)
    snapshot = cloud.snapshot(state.get_output("snapshot_id"))
    see(state, SNAPSHOT, SNAPSHOT.to_observation(snapshot), look=look)
    return None


def record_desired_state(state: StepState) -> None:
    """Keep what was ordered as the droplet's desired state."""
    droplet = droplet_row(state.get_output("droplet_id"))
    spec = {
        "name": state.inputs["name"],
        "region": droplet.region,  # the order may name a group of regions
        "size_slug": state.inputs["size"],
        "status": "active",
        "tags": sorted({*state.inputs.get("tags", ()), state.get_output("droplet_mark")}),
    }
    record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=state.saga_id)


def forget_desired_state(state: StepState) -> None:
    """Drop what this saga recorded as desired."""
    Provisioned.objects.filter(saga_id=state.saga_id).delete()


def droplet_row(droplet_id: int) -> Resource:
    """The droplet in the inventory. Raises Resource.DoesNotExist."""
    return Resource.objects.get(provider=PROVIDER, kind=Kind.DROPLET, provider_id=str(droplet_id))


STEPS = (
    Step("observe_droplet", observe_droplet, retries=RETRIES),
    Step("observe_snapshot", observe_snapshot, retries=RETRIES),
    Step("record_desired_state", record_desired_state, compensate=forget_desired_state),
)
