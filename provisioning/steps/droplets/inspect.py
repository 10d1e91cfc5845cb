"""The state of a droplet before anything is done to it, and as a compensated saga leaves it.

Stores `droplet_id`, `droplet_name`, `size_before`, `was_on`, `desired_before`. A retry of a saga that could
not put everything back inherits them: what it finds now is not what the droplet was.
"""

from typing import Any, Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from provisioning.contract import Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.checks import wait_for_event, wait_while_busy
from provisioning.steps.droplets.power import ensure_on
from provisioning.steps.inventory import find_droplet_row, observe_droplet_now

INHERITED: Final = ("was_on", "size_before", "desired_before")


@with_cloud
def inspect_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Store the droplet's state before anything is done to it. Raises FinalError where there is none.

    Once no event holds it: one that is being switched on is off until then, and would be left so.
    """
    droplet = cloud.droplet(state.inputs["droplet_id"])
    if busy := wait_while_busy(droplet) or wait_for_event(cloud, droplet.id):
        return busy
    inherited: dict[str, Any] = state.get_output("inherited", {})
    state.put_output("droplet_id", droplet.id)
    state.put_output("droplet_name", droplet.name)
    state.put_output("size_before", inherited.get("size_before", droplet.size_slug))
    state.put_output("was_on", inherited.get("was_on", False) or droplet.status == "active")
    desired = Provisioned.objects.filter(resource=find_droplet_row(droplet.id)).first()
    if "desired_before" in inherited:
        state.put_output("desired_before", inherited["desired_before"])
    elif desired is not None:
        state.put_output("desired_before", {"spec": desired.spec, "saga_id": desired.saga_id})
    return None


@with_cloud
def leave_as_found(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Switch the droplet on if it was on, whatever earlier compensations failed at, and observe it."""
    droplet = observe_droplet_now(state, cloud, state.inputs["droplet_id"])
    if droplet is None or not state.get_output("was_on"):
        return None
    return ensure_on(state, cloud, droplet.id)


STEPS: Final = (
    Step(
        "look_at_droplet",
        inspect_droplet,
        compensate=leave_as_found,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        inherits=INHERITED,
    ),
)
