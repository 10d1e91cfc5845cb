"""Another image for a droplet, and back to its snapshot."""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.actions import act
from provisioning.steps.droplets.checks import refuse_protected, wait_while_busy
from provisioning.steps.droplets.power import ensure_off


def _ensure_image(state: StepState, cloud: DigitalOcean, kind: str, image: int | str) -> Wait | None:
    droplet = cloud.droplet(state.get_output("droplet_id"))
    if busy := wait_while_busy(droplet):
        return busy
    # The image decides, not the action: a repeat after a lost answer must not rebuild what is rebuilt.
    if _has_image(droplet, image):
        return None
    refuse_protected(droplet)
    return act(state, cloud, droplet.id, kind, image=image)


def _has_image(droplet: DropletRecord, image: int | str) -> bool:
    return droplet.image is not None and image in {droplet.image.id, droplet.image.slug}


@with_cloud
def rebuild_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Rebuild the droplet from the image: its disk is made anew, its address stays."""
    return _ensure_image(state, cloud, "rebuild", state.inputs["image"])


@with_cloud
def restore_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Restore the droplet from the snapshot that was taken before, and leave it off where it was off."""
    snapshot_id = state.get_output("snapshot_id")
    if snapshot_id is None:
        raise FinalError(f"droplet {state.get_output('droplet_id')} has no snapshot to be restored from")
    try:
        if wait := _ensure_image(state, cloud, "restore", int(snapshot_id)):
            return wait
        return (
            None if state.get_output("was_on") else ensure_off(state, cloud, state.get_output("droplet_id"))
        )
    except ProviderNotFound:
        return None


STEPS: Final = (
    Step(
        "rebuild_droplet",
        rebuild_droplet,
        compensate=restore_snapshot,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
)
