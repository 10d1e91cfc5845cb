"""The state of a droplet before anything is done to it, and as a compensated saga leaves it.

Stores `droplet_id`, `droplet_name`, `size_before`, `was_on`, `desired_before`.
"""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from provisioning.contract import Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.checks import wait_while_busy
from provisioning.steps.inventory import find_droplet_row, observe_droplet_now


@with_cloud
def inspect_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Store the droplet's state before anything is done to it. Raises FinalError where there is none.

    Once no event holds it: one that is being switched on is off until then, and would be left so.
    """
    droplet = cloud.droplet(state.inputs["droplet_id"])
    if busy := wait_while_busy(droplet):
        return busy
    state.put_output("droplet_id", droplet.id)
    state.put_output("droplet_name", droplet.name)
    state.put_output("size_before", droplet.size_slug)
    state.put_output("was_on", droplet.status == "active")
    desired = Provisioned.objects.filter(resource=find_droplet_row(droplet.id)).first()
    if desired is not None:
        state.put_output("desired_before", {"spec": desired.spec, "saga_id": desired.saga_id})
    return None


@with_cloud
def observe_what_is_left(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Observe the droplet as the compensated saga leaves it."""
    observe_droplet_now(state, cloud, state.inputs["droplet_id"])
    return None


STEPS: Final = (
    Step(
        "look_at_droplet",
        inspect_droplet,
        compensate=observe_what_is_left,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
    ),
)
