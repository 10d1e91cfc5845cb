"""Another size for a droplet: CPU and memory, there and back; the disk only ever grows, and last of all.

Keeps what the droplet was: `droplet_name`, `size_before`, `was_on`, `desired_before`.
"""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.desired_state import record_provisioned
from provisioning.models import Provisioned
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, look_again, with_cloud
from provisioning.steps.droplets.delete import refuse_protected
from provisioning.steps.droplets.power import ensure_off, ensure_on, ensure_size
from provisioning.steps.inventory import droplet_row, see_droplet

_DEADLINE_SECONDS: Final = 3600.0  # of any action; DigitalOcean's own Terraform provider gives up then


@with_cloud
def look_at_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Keep what the droplet is before anything is done to it. Raises StepFailed where there is none.

    Once no event holds it: one that is being switched on is off until then, and would be left so.
    """
    droplet = cloud.droplet(state.inputs["droplet_id"])
    if droplet.locked:
        return look_again(f"droplet {droplet.id} is busy with an event")
    state.put_output("droplet_id", droplet.id)
    state.put_output("droplet_name", droplet.name)
    state.put_output("size_before", droplet.size_slug)
    state.put_output("was_on", droplet.status == "active")
    desired = Provisioned.objects.filter(resource=droplet_row(droplet.id)).first()
    if desired is not None:
        state.put_output("desired_before", {"spec": desired.spec, "saga_id": desired.saga_id})
    return None


@with_cloud
def see_what_is_left(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Observe the droplet as the saga leaves it, when it was turned back."""
    see_droplet(state, cloud, state.inputs["droplet_id"])
    return None


@with_cloud
def require_fitting_size(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Raises StepFailed, before the droplet is switched off, for a size that it can't have or has already."""
    droplet = cloud.droplet(state.get_output("droplet_id"))
    refuse_protected(droplet)
    wanted = next((size for size in cloud.sizes() if size.slug == state.inputs["size"]), None)
    if wanted is None:
        raise FinalError(f"there is no size {state.inputs['size']}")
    if droplet.region.slug not in wanted.regions:
        raise FinalError(f"size {wanted.slug} is not available in {droplet.region.slug}")
    if wanted.disk < droplet.disk:
        raise FinalError(
            f"the disk of size {wanted.slug} has {wanted.disk} GB, the droplet's has {droplet.disk} GB; "
            "a disk can't shrink"
        )
    grows = state.inputs.get("grow_disk", False) and wanted.disk > droplet.disk
    if wanted.slug == droplet.size_slug and not grows:
        raise FinalError(f"droplet {droplet.id} has the size {wanted.slug} already")
    return None


@with_cloud
def shut_down_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Shut the droplet down, and switch it off when its guest doesn't hear."""
    return ensure_off(state, cloud, state.get_output("droplet_id"))


@with_cloud
def power_back_on(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Switch the droplet on if it was on."""
    if not state.get_output("was_on"):
        return None
    try:
        return ensure_on(state, cloud, state.get_output("droplet_id"))
    except ProviderNotFound:
        if state.is_compensating:
            return None  # somebody else removed it: there is nothing to undo
        raise


@with_cloud
def resize_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Give the droplet its new CPU and memory."""
    return ensure_size(state, cloud, state.get_output("droplet_id"), state.inputs["size"])


@with_cloud
def resize_back(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Give the droplet its former CPU and memory; it is off afterwards."""
    try:
        return ensure_size(state, cloud, state.get_output("droplet_id"), state.get_output("size_before"))
    except ProviderNotFound:
        return None


@with_cloud
def resize_for_good(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Resize with the disk, switch on what was on, observe and record: one step, for there is no way back.

    What follows the growth is part of it, so that no later step can turn the saga back.
    """
    droplet_id = state.get_output("droplet_id")
    wait = ensure_size(state, cloud, droplet_id, state.inputs["size"], disk=True)
    if wait is None and state.get_output("was_on"):
        wait = ensure_on(state, cloud, droplet_id)
    if wait is None:
        see_droplet(state, cloud, droplet_id)
        record_desired_size(state)
    return wait


def record_desired_size(state: StepState) -> None:
    """Keep the new size as desired; what else is desired of the droplet stays so."""
    droplet = droplet_row(state.get_output("droplet_id"))
    desired = Provisioned.objects.filter(resource=droplet).first()
    if desired is not None and desired.saga_id == state.saga_id:
        return  # an earlier attempt did
    spec = {**(desired.spec if desired else {}), "size_slug": state.inputs["size"]}
    record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=state.saga_id)


def desire_former_size(state: StepState) -> None:
    """What was desired before this saga is desired again."""
    droplet, before = droplet_row(state.get_output("droplet_id")), state.get_output("desired_before")
    if before is None:
        Provisioned.objects.filter(resource=droplet, saga_id=state.saga_id).delete()
    else:
        record_provisioned(resource_pk=droplet.pk, spec=before["spec"], saga_id=before["saga_id"])


STEPS = (
    Step(
        "look_at_droplet",
        look_at_droplet,
        compensate=see_what_is_left,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=_DEADLINE_SECONDS,
    ),
    Step("require_fitting_size", require_fitting_size, retries=RETRIES),
    Step(
        "shut_down_droplet",
        shut_down_droplet,
        compensate=power_back_on,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step(
        "resize_droplet",
        resize_droplet,
        compensate=resize_back,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step("power_on_droplet", power_back_on, retries=RETRIES, deadline_seconds=_DEADLINE_SECONDS),
    Step("resize_droplet_for_good", resize_for_good, retries=RETRIES, deadline_seconds=_DEADLINE_SECONDS),
    Step("record_desired_size", record_desired_size, compensate=desire_former_size),
)
