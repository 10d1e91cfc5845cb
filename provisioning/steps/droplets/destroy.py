"""Destroying a droplet: the step without a way back."""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.values import PROVIDER, Kind
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, look_again, with_cloud
from provisioning.steps.droplets.delete import remove_droplet, tell_removed
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import see_droplet

_DEADLINE_SECONDS: Final = 3600.0


@with_cloud
def destroy_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Destroy the droplet, and drop what was desired of it. One that is gone already is as good."""
    droplet_id = state.get_output("droplet_id")
    droplet = see_droplet(state, cloud, droplet_id)
    if droplet is not None and droplet.locked:
        return look_again(f"droplet {droplet_id} is busy with an event")
    if droplet is not None:
        remove_droplet(state, cloud, droplet)
    Provisioned.objects.filter(
        resource__provider=PROVIDER, resource__kind=Kind.DROPLET, resource__provider_id=str(droplet_id)
    ).delete()
    return None


@with_cloud
def find_out_whether_destroyed(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Once the step was broken off: whether the droplet lives, before its snapshot is thought of.

    Raises StepFailed where it is gone: that can't be undone. A droplet that was just destroyed may be
    answered for some time.
    """
    droplet_id = state.get_output("droplet_id")
    try:
        cloud.droplet(droplet_id)
    except ProviderNotFound:
        tell_removed(state, Kind.DROPLET, str(droplet_id))
        raise FinalError(f"droplet {droplet_id} is destroyed; its last snapshot is kept") from None
    return wait_for_listing(state, list_lag_ends_at(state), of="the droplet go")


STEPS = (
    Step(
        "destroy_droplet",
        destroy_droplet,
        compensate=find_out_whether_destroyed,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
)
