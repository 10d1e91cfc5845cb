"""The power of a droplet: off by a shutdown or by force, on, and back on by the compensation.

Each function looks first whether its goal is reached, then whether its action has begun, and only then begins
one. It returns a Wait while there is something to wait for, and None when the goal is reached.
"""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from provisioning.contract import Step, StepState, Wait
from provisioning.errors import Protected
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, poll, with_cloud
from provisioning.steps.droplets.actions import act, begin, find_own_action, first_entered_at
from provisioning.steps.droplets.checks import refuse_protected, wait_while_busy

# A shutdown is a request to the guest, which may ignore it; after this the droplet is switched off.
SHUTDOWN_SECONDS: Final = 120.0


def ensure_off(state: StepState, cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Shut it down, and switch it off when the guest takes too long. Refuses a protected droplet."""
    droplet = cloud.droplet(droplet_id)
    if busy := wait_while_busy(droplet):
        return busy
    if droplet.status == "off":
        return None
    # Looked at right before the harm: the mark may be newer than the saga's start.
    refuse_protected(droplet)
    if shutting_down := _shut_down(state, cloud, droplet_id):
        return shutting_down
    return act(state, cloud, droplet_id, "power_off")


def ensure_on(state: StepState, cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Switch it on."""
    droplet = cloud.droplet(droplet_id)
    if busy := wait_while_busy(droplet):
        return busy
    if droplet.status == "active":
        return None
    return act(state, cloud, droplet_id, "power_on")


def _shut_down(state: StepState, cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Ask the guest to shut down; None once the droplet must be switched off."""
    if (state.now() - first_entered_at(state)).total_seconds() > SHUTDOWN_SECONDS:
        return None
    action = find_own_action(state, cloud, droplet_id, "shutdown")
    if action is None:
        return begin(state, cloud, droplet_id, "shutdown")
    if action.status == "errored":
        return None
    # Also when it is completed: that only says that the guest was asked.
    return poll(f"droplet {droplet_id} is shutting down")


@with_cloud
def shut_down_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Shut the droplet down, and switch it off when its guest ignores that."""
    return ensure_off(state, cloud, state.get_output("droplet_id"))


@with_cloud
def power_back_on(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Switch the droplet on if it was on."""
    # Also where this attempt found it off: an earlier run's shutdown is not how it was found.
    if not state.get_output("was_on"):
        return None
    try:
        return ensure_on(state, cloud, state.get_output("droplet_id"))
    except ProviderNotFound:
        if state.is_compensating:
            return None  # removed meanwhile: there is nothing to compensate
        raise


@with_cloud
def switch_on_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Switch the droplet on."""
    return ensure_on(state, cloud, state.get_output("droplet_id"))


@with_cloud
def power_back_off(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Switch the droplet off if it was off; one that is protected by now stays on, which does it no harm."""
    if state.get_output("was_on"):
        return None
    try:
        return ensure_off(state, cloud, state.get_output("droplet_id"))
    except (ProviderNotFound, Protected):
        return None


STEPS: Final = (
    Step(
        "shut_down_droplet",
        shut_down_droplet,
        compensate=power_back_on,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step(
        "switch_on_droplet",
        switch_on_droplet,
        compensate=power_back_off,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step("switch_off_again", power_back_off, retries=RETRIES, deadline_seconds=ACTION_DEADLINE_SECONDS),
    Step("power_on_droplet", power_back_on, retries=RETRIES, deadline_seconds=ACTION_DEADLINE_SECONDS),
)
