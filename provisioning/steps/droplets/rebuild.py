"""Another image for a droplet, and back to its snapshot.

Stores `found_before_rebuild` and `restored`, which decide whether it is restored, and whether its
snapshot is removed.
"""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from provisioning.contract import PART, PARTS, FinalError, Step, StepState, Wait
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.actions import act
from provisioning.steps.droplets.checks import (
    newest_actions,
    refuse_protected,
    wait_for_event,
    wait_while_busy,
)
from provisioning.steps.droplets.power import ensure_off
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing


def _ensure_image(state: StepState, cloud: DigitalOcean, kind: str, image: int | str) -> Wait | None:
    droplet = cloud.droplet(state.get_output("droplet_id"))
    if busy := wait_while_busy(droplet):
        return busy
    # The image decides, not the action: a repeat after a lost answer must not rebuild what is rebuilt.
    if droplet.image is not None and image in {droplet.image.id, droplet.image.slug}:
        return None
    refuse_protected(droplet)
    return act(state, cloud, droplet.id, kind, image=image)


@with_cloud
def require_image(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Refuse, before any snapshot is taken, an image that is missing, also in one region. Raises FinalError.

    Also stores the images and newest actions, by which a rebuild is recognized later.
    """
    wanted = state.inputs["image"]
    try:
        image = cloud.image(wanted)
    except ProviderNotFound as error:
        raise FinalError(f"there is no image {wanted}") from error
    for part, inputs in state.get_output(PARTS, {}).items():
        droplet = cloud.droplet(inputs["droplet_id"])
        if droplet.region.slug not in image.regions:
            raise FinalError(f"image {wanted} is not available in {droplet.region.slug}")
        before = {
            "image": None if droplet.image is None else droplet.image.id,
            "action": max((each.id for each in newest_actions(cloud, droplet.id)), default=0),
        }
        state.put_output(f"found_before_rebuild{PART}{part}", before)
    return None


@with_cloud
def rebuild_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Rebuild the droplet from the image: its disk is made anew, its address stays."""
    return _ensure_image(state, cloud, "rebuild", state.inputs["image"])


@with_cloud
def restore_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Restore the droplet from the snapshot that was taken before, and leave it off where it was off.

    One that was never rebuilt is left as it is: a restore would lose what was written since its snapshot.
    """
    droplet_id, snapshot_id = state.get_output("droplet_id"), state.get_output("snapshot_id")
    if snapshot_id is None:
        raise FinalError(f"droplet {droplet_id} has no snapshot to be restored from")
    try:
        if not state.get_output("restored"):
            # Until the restore is known to have worked, the snapshot may be all that is left of the disk.
            state.put_output("restored", False)
            if wait := _restore(state, cloud, droplet_id, int(snapshot_id)):
                return wait
            state.put_output("restored", True)
        return None if state.get_output("was_on") else ensure_off(state, cloud, droplet_id)
    except ProviderNotFound:
        return None


def _restore(state: StepState, cloud: DigitalOcean, droplet_id: int, snapshot_id: int) -> Wait | None:
    if event := wait_for_event(cloud, droplet_id):
        return event
    found, droplet = state.get_output("found_before_rebuild"), cloud.droplet(droplet_id)
    if found is not None and droplet.image is not None and droplet.image.id == found["image"]:
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the rebuild"):
            return wait
        # Also a rebuild that failed half-way leaves the image's name as it was.
        actions = newest_actions(cloud, droplet_id)
        if not any(each.type in {"rebuild", "restore"} and each.id > found["action"] for each in actions):
            return None
    return _ensure_image(state, cloud, "restore", snapshot_id)


STEPS: Final = (
    Step("require_image", require_image, retries=RETRIES),
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
