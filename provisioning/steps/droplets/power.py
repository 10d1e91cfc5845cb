"""What is done to a droplet by DigitalOcean's actions, so that doing it twice is doing it once.

Each function looks first whether its goal is reached, then whether it has begun, and only then begins. It
returns a Wait while there is something to wait for, and None when the goal is reached.
"""

from datetime import datetime, timedelta
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderRejected
from arcadia_cloud.digitalocean.records import ActionRecord, DropletRecord
from provisioning.contract import FinalError, StepState, Wait
from provisioning.steps.cloud import look_again
from provisioning.steps.droplets.delete import refuse_protected

# A shutdown is a request to the guest, which may not hear it; after this it is switched off.
SHUTDOWN_SECONDS = 120.0
_CLOCKS_DIFFER_BY: Final = timedelta(seconds=3)


class ActionErrored(FinalError):
    """DigitalOcean gave an action up. It never says why."""


def ensure_off(state: StepState, cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Shut it down, and switch it off when the guest takes too long. Refuses a protected droplet."""
    droplet = cloud.droplet(droplet_id)
    if droplet.locked:
        return _busy(droplet)
    if droplet.status == "off":
        return None
    refuse_protected(droplet)
    return _asked_to_shut_down(state, cloud, droplet) or _acted(state, cloud, droplet, "power_off")


def ensure_on(state: StepState, cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Switch it on."""
    droplet = cloud.droplet(droplet_id)
    if droplet.locked:
        return _busy(droplet)
    return None if droplet.status == "active" else _acted(state, cloud, droplet, "power_on")


def ensure_size(
    state: StepState, cloud: DigitalOcean, droplet_id: int, size: str, *, disk: bool = False
) -> Wait | None:
    """Give it this size, switching it off for it; with `disk` its disk grows too, for good.

    Refuses a protected droplet. It stays off.
    """
    droplet = cloud.droplet(droplet_id)
    if droplet.locked:
        return _busy(droplet)
    if droplet.size_slug == size and (not disk or droplet.disk >= droplet.size.disk):
        return None
    refuse_protected(droplet)
    return ensure_off(state, cloud, droplet_id) or _acted(
        state, cloud, droplet, "resize", size=size, disk=disk
    )


def act(
    state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str, **params: object
) -> ActionRecord | None:
    """Begin an action, or look at the one that was begun; None where its effect is there already.

    The action's id is kept before it is polled. Raises ActionErrored when it ended so.
    """
    if has_begun(state, cloud, droplet_id, kind):
        action = cloud.action(state.get_output(_key(state, droplet_id, kind)))
    else:
        try:
            action = cloud.droplet_action(droplet_id, kind, **params)
        except ProviderRejected as error:
            if "is already powered" in error.message:
                return None
            raise
        state.put_output(_key(state, droplet_id, kind), action.id)
    if action.status == "errored":
        raise ActionErrored(f"{kind} of droplet {droplet_id} failed at DigitalOcean (action {action.id})")
    return action


def has_begun(state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str) -> bool:
    """Whether this step, or its undo, has begun an action of this kind: its id is known from then on.

    An attempt whose answer was lost left no id: its action is found among the droplet's own.
    """
    if state.get_output(_key(state, droplet_id, kind)) is not None:
        return True
    if state.attempt == 1:
        return False
    since = _beginning(state) - _CLOCKS_DIFFER_BY
    for action in cloud.droplet_actions(droplet_id):
        if action.type == kind and action.started_at is not None and action.started_at >= since:
            state.put_output(_key(state, droplet_id, kind), action.id)
            return True
    return False


def _key(state: StepState, droplet_id: int, kind: str) -> str:
    """Under what the action's id is kept; a step may act on several droplets."""
    undo = "undo_" if state.is_compensating else ""
    return f"{undo}{kind}_of_droplet_{droplet_id}_at_step_{state.step_idx}"


def _asked_to_shut_down(state: StepState, cloud: DigitalOcean, droplet: DropletRecord) -> Wait | None:
    """A wait, while the guest may still shut down; None once it must be switched off."""
    if (state.now() - _beginning(state)).total_seconds() > SHUTDOWN_SECONDS:
        return None
    try:
        act(state, cloud, droplet.id, "shutdown")
    except ActionErrored:
        return None
    return look_again(f"droplet {droplet.id} is shutting down")


def _acted(
    state: StepState, cloud: DigitalOcean, droplet: DropletRecord, kind: str, **params: object
) -> Wait:
    """Always a wait: that the goal is reached, the droplet itself must show."""
    act(state, cloud, droplet.id, kind, **params)
    return look_again(f"{kind} of droplet {droplet.id} is under way")


def _beginning(state: StepState) -> datetime:
    """When the step, or its undo, was first entered."""
    if not state.is_compensating:
        return state.first_began_at
    key = f"undo_began_at_step_{state.step_idx}"
    if (known := state.get_output(key)) is not None:
        return datetime.fromisoformat(known)
    state.put_output(key, state.began_at.isoformat())
    return state.began_at


def _busy(droplet: DropletRecord) -> Wait:
    return look_again(f"droplet {droplet.id} is busy with an event")
