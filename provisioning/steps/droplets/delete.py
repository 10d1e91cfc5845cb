"""The removal of droplets, and `destroy_droplet`: the step without a way back."""

import contextlib
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.values import PROVIDER, Kind
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.checks import refuse_protected, retry_while_refused, wait_while_busy
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import observe_droplet_now, record_removal


def remove_droplet(state: StepState, cloud: DigitalOcean, droplet: DropletRecord) -> None:
    """Destroy a droplet and write its tombstone; one that is gone already is as good.

    Its snapshots, volumes and reserved IPs stay. Raises Protected.
    """
    refuse_protected(droplet)
    # Gone already, or deleted by an attempt whose answer was lost: both are success.
    with contextlib.suppress(ProviderNotFound), retry_while_refused(cloud, droplet.id):
        cloud.delete_droplet(droplet.id)
    record_removal(state, Kind.DROPLET, str(droplet.id))


@with_cloud
def destroy_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Destroy the droplet, and delete its desired state. One that is gone already is as good."""
    droplet_id = state.get_output("droplet_id")
    droplet = observe_droplet_now(state, cloud, droplet_id)
    if droplet is not None:
        if busy := wait_while_busy(droplet):
            return busy
        remove_droplet(state, cloud, droplet)
    Provisioned.objects.filter(
        resource__provider=PROVIDER, resource__kind=Kind.DROPLET, resource__provider_id=str(droplet_id)
    ).delete()
    return None


@with_cloud
def require_not_destroyed(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Find out whether the droplet of an interrupted destroy lives, before its snapshot is removed.

    Raises FinalError where it is gone: that can't be compensated. A droplet that was just destroyed may be
    answered for some time.
    """
    droplet_id = state.get_output("droplet_id")
    try:
        cloud.droplet(droplet_id)
    except ProviderNotFound:
        record_removal(state, Kind.DROPLET, str(droplet_id))
        raise FinalError(f"droplet {droplet_id} is destroyed; its last snapshot is kept") from None
    return wait_for_listing(state, list_lag_ends_at(state), of="the droplet go")


STEPS: Final = (
    Step(
        "destroy_droplet",
        destroy_droplet,
        compensate=require_not_destroyed,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
)
