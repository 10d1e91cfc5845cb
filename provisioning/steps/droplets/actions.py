"""DigitalOcean's actions on a droplet, begun once for each step that needs one."""

from datetime import datetime, timedelta
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderRejected
from arcadia_cloud.digitalocean.records import ActionRecord
from provisioning.contract import FinalError, StepState

_CLOCKS_DIFFER_BY: Final = timedelta(seconds=3)


class ActionErrored(FinalError):
    """DigitalOcean reported that an action failed. It never reports why."""


def act(
    state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str, **params: object
) -> ActionRecord | None:
    """Begin an action, or read the one that was begun; None where its effect is there already.

    Raises ActionErrored when it ended so.
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
        # Stored before it is polled: a worker that dies from here on finds the action by its id.
        state.put_output(_key(state, droplet_id, kind), action.id)
    if action.status == "errored":
        raise ActionErrored(f"{kind} of droplet {droplet_id} failed at DigitalOcean (action {action.id})")
    return action


def has_begun(state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str) -> bool:
    """Return whether this step, or its compensation, has begun an action of this kind; its id is stored then.

    An attempt whose answer was lost left no id: its action is found among the droplet's own.
    """
    if state.get_output(_key(state, droplet_id, kind)) is not None:
        return True
    if state.attempt == 1:
        return False
    since = first_entered_at(state) - _CLOCKS_DIFFER_BY
    for action in cloud.droplet_actions(droplet_id):
        if action.type == kind and action.started_at is not None and action.started_at >= since:
            state.put_output(_key(state, droplet_id, kind), action.id)
            return True
    return False


def first_entered_at(state: StepState) -> datetime:
    """Return when the step, or its compensation, was first entered."""
    if not state.is_compensating:
        return state.first_began_at
    key = f"undo_began_at_step_{state.step_idx}"
    if (known := state.get_output(key)) is not None:
        return datetime.fromisoformat(known)
    state.put_output(key, state.began_at.isoformat())
    return state.began_at


def _key(state: StepState, droplet_id: int, kind: str) -> str:
    """Return the name of the action's id in the context; a step may act on several droplets."""
    prefix = "undo_" if state.is_compensating else ""
    return f"{prefix}{kind}_of_droplet_{droplet_id}_at_step_{state.step_idx}"
