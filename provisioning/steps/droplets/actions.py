"""DigitalOcean's actions on a droplet, begun anew until their goal is reached.

Only an action whose id came as the answer to this step's own request is this step's: any other of its type
may be another's, a snapshot by hand say, and following it would wait for what never comes. When an answer was
lost, the step waits until no event holds the droplet, and looks at its goal again.
"""

from datetime import datetime
from typing import Final

from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound, ProviderRejected
from arcadia_cloud.digitalocean.records import ActionRecord
from provisioning.contract import FinalError, RetryableError, StepState, Wait
from provisioning.steps.cloud import poll
from provisioning.steps.droplets.checks import retry_while_refused, wait_for_event

_REACHED_WORDS: Final = "is already powered"


class ActionErrored(FinalError):
    """DigitalOcean reported that an action failed. It never reports why."""


def act(state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str, **params: object) -> Wait:
    """Begin an action towards a goal that isn't reached, or wait for the one that was begun.

    Always a wait: that the goal is reached, the droplet itself must show. An action that is completed, and
    whose effect doesn't show after a while, is begun anew. Raises ActionErrored when it failed; while
    compensating it is forgotten, and begun anew for as long as the retries last.
    """
    action = find_own_action(state, cloud, droplet_id, kind)
    if action is not None:
        if action.status == "in-progress" or _may_still_show(state, droplet_id, kind, action):
            return poll(f"{kind} of droplet {droplet_id} is under way")
        forget_action(state, droplet_id, kind)
        if action.status == "errored":
            message = f"{kind} of droplet {droplet_id} failed at DigitalOcean (action {action.id})"
            # What is given up on the way back stays broken: an action that fails once may well work again.
            raise RetryableError(message) if state.is_compensating else ActionErrored(message)
    return begin(state, cloud, droplet_id, kind, **params)


def begin(state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str, **params: object) -> Wait:
    """Begin an action and store its id, once no other is under way."""
    # An earlier attempt's answer may be lost: its action, if there is one, is over before another is begun.
    if busy := wait_for_event(cloud, droplet_id):
        return busy
    under_way = poll(f"{kind} of droplet {droplet_id} is under way")
    try:
        with retry_while_refused(cloud, droplet_id):
            action = cloud.droplet_action(droplet_id, kind, **params)
    except ProviderRejected as error:
        if _REACHED_WORDS in error.message:  # the droplet's state shows it later
            return under_way
        raise
    # Stored before it is polled: a worker that dies from here on finds the action by its id.
    state.put_output(_key(state, droplet_id, kind), action.id)
    return under_way


def find_own_action(state: StepState, cloud: DigitalOcean, droplet_id: int, kind: str) -> ActionRecord | None:
    """Return the action that this step, or its compensation, has begun; None where it has begun none."""
    action_id = state.get_output(_key(state, droplet_id, kind))
    if action_id is None:
        return None
    try:
        return cloud.action(action_id)
    except ProviderNotFound:  # as if it had never been: the goal decides
        forget_action(state, droplet_id, kind)
        return None


def forget_action(state: StepState, droplet_id: int, kind: str) -> None:
    """Let go of an action that is over, so that the next one is begun."""
    state.put_output(_key(state, droplet_id, kind), None)
    state.put_output(_shown_key(state, droplet_id, kind), None)


def first_entered_at(state: StepState) -> datetime:
    """Return when the step, or its compensation, was first entered."""
    if not state.is_compensating:
        return state.first_began_at
    key = f"undo_began_at_step_{state.step_idx}"
    if (known := state.get_output(key)) is not None:
        return datetime.fromisoformat(known)
    state.put_output(key, state.began_at.isoformat())
    return state.began_at


def _may_still_show(state: StepState, droplet_id: int, kind: str, action: ActionRecord) -> bool:
    """Return whether the effect of a completed action may show later: a droplet's state lags behind."""
    if action.status != "completed":
        return False
    # Counted on our own clock from when we first saw it completed: the provider's may differ by years here.
    key = _shown_key(state, droplet_id, kind)
    seen = state.get_output(key)
    if seen is None:
        state.put_output(key, state.now().isoformat())
        return True
    return (
        state.now() - datetime.fromisoformat(seen)
    ).total_seconds() < settings.ARCADIA_SAGA_TAG_LAG_SECONDS


def _key(state: StepState, droplet_id: int, kind: str) -> str:
    """Return the name of the action's id in the context; a step may act on several droplets."""
    prefix = "undo_" if state.is_compensating else ""
    return f"{prefix}{kind}_of_droplet_{droplet_id}_at_step_{state.step_idx}"


def _shown_key(state: StepState, droplet_id: int, kind: str) -> str:
    return f"{_key(state, droplet_id, kind)}_completed_at"
