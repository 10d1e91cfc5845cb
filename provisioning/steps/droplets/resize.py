"""Another size for a droplet: CPU and memory, there and back; the disk only ever grows, and last of all."""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.desired_state import record_desired_size
from provisioning.steps.droplets.actions import act
from provisioning.steps.droplets.checks import refuse_protected, wait_while_busy
from provisioning.steps.droplets.power import ensure_off, ensure_on
from provisioning.steps.inventory import observe_droplet_now


def ensure_size(
    state: StepState, cloud: DigitalOcean, droplet_id: int, size: str, *, disk: bool = False
) -> Wait | None:
    """Give it this size, switching it off for it; with `disk` its disk grows too, irreversibly.

    Refuses a protected droplet. It stays off.
    """
    droplet = cloud.droplet(droplet_id)
    if busy := wait_while_busy(droplet):
        return busy
    if droplet.size_slug == size and (not disk or droplet.disk >= droplet.size.disk):
        return None
    refuse_protected(droplet)
    # A resize wants the droplet off, and its guest may have been switched on since the step before.
    if wait := ensure_off(state, cloud, droplet_id):
        return wait
    return act(state, cloud, droplet_id, "resize", size=size, disk=disk)


@with_cloud
def require_fitting_size(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Refuse, before the droplet is switched off, a size that it can't have or has already.

    Raises FinalError.
    """
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
    # A retry of a resize that couldn't be taken back finds its size already: what is left is to switch it on.
    is_fine = state.get_output("inherited") or state.inputs.get("may_have_size", False)
    if wanted.slug == droplet.size_slug and not grows and not is_fine:
        raise FinalError(f"droplet {droplet.id} has the size {wanted.slug} already")
    return None


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
def resize_with_disk(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Resize with the disk, switch on what was on, observe and record: one step, for there is no way back.

    What follows the growth is part of it, so that no later step can start a compensation.
    """
    droplet_id = state.get_output("droplet_id")
    wait = ensure_size(state, cloud, droplet_id, state.inputs["size"], disk=True)
    if wait is None and state.get_output("was_on"):
        wait = ensure_on(state, cloud, droplet_id)
    if wait is None:
        observe_droplet_now(state, cloud, droplet_id)
        record_desired_size(state)
    return wait


STEPS: Final = (
    Step("require_fitting_size", require_fitting_size, retries=RETRIES),
    Step(
        "resize_droplet",
        resize_droplet,
        compensate=resize_back,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step(
        "resize_droplet_for_good",
        resize_with_disk,
        retries=RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
    ),
)
