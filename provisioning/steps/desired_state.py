"""The desired state of a droplet, as recorded by the saga that makes or changes it."""

from typing import Final

from provisioning.contract import Step, StepState
from provisioning.desired_state import record_provisioned
from provisioning.models import Provisioned
from provisioning.steps.inventory import find_droplet_row


def record_desired_state(state: StepState) -> None:
    """Record what was ordered as the droplet's desired state."""
    droplet = find_droplet_row(state.get_output("droplet_id"))
    spec = {
        "name": state.inputs["name"],
        "region": droplet.region,  # the order may name a group of regions
        "size_slug": state.inputs["size"],
        "status": "active",
        "tags": sorted({*state.inputs.get("tags", ()), state.get_output("droplet_mark")}),
    }
    record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=state.saga_id)


def remove_desired_state(state: StepState) -> None:
    """Delete what this saga recorded as desired."""
    Provisioned.objects.filter(saga_id=state.saga_id).delete()


def record_desired_size(state: StepState) -> None:
    """Record the new size as desired; what else is desired of the droplet stays so."""
    droplet = find_droplet_row(state.get_output("droplet_id"))
    desired = Provisioned.objects.filter(resource=droplet).first()
    if desired is not None and desired.saga_id == state.saga_id:
        return  # an earlier attempt did; again, it would take its own record for what was desired before
    spec = {**(desired.spec if desired else {}), "size_slug": state.inputs["size"]}
    record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=state.saga_id)


def record_desired_power(state: StepState) -> None:
    """Record the droplet's power, as just observed, where a desired state is known of it."""
    droplet = find_droplet_row(state.get_output("droplet_id"))
    desired = Provisioned.objects.filter(resource=droplet).first()
    if desired is not None:
        spec = {**desired.spec, "status": droplet.status}
        record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=state.saga_id)


def restore_desired_state(state: StepState) -> None:
    """Record again what was desired before this saga."""
    droplet = find_droplet_row(state.get_output("droplet_id"))
    before = state.get_output("desired_before")
    if before is None:
        Provisioned.objects.filter(resource=droplet, saga_id=state.saga_id).delete()
    else:
        record_provisioned(resource_pk=droplet.pk, spec=before["spec"], saga_id=before["saga_id"])


STEPS: Final = (
    Step("record_desired_state", record_desired_state, compensate=remove_desired_state),
    Step("record_desired_size", record_desired_size, compensate=restore_desired_state),
    Step("record_desired_power", record_desired_power, compensate=restore_desired_state),
)
