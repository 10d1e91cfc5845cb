"""A new droplet: made once, waited for, and removed with all its twins when the saga turns back.

Keeps `droplet_id`, `droplet_mark`, `droplet_ip`, and, when the request was sent more than once,
`twins_until`: the moment at which a list by the mark shows every droplet that came of it.

A droplet that has the mark and is older than the step is a stranger: sagas' numbers repeat when a database
is restored, and on another installation that works on the same account. It is left alone, and told of as a
stray. `droplet_since` is kept for it: when this step was first entered.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.values import Kind
from provisioning.brakes import reserve_create
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, look_again, with_cloud
from provisioning.steps.droplets.delete import remove_droplet, tell_removed
from provisioning.steps.idempotent_create import list_lag_ends_at, saga_tag, wait_for_listing

_ORDERED: Final = (
    "name", "region", "size", "image", "ssh_keys", "user_data", "vpc_uuid", "backups", "ipv6", "monitoring",
)  # fmt: skip


@with_cloud
def create_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Ask for the droplet, unless an earlier attempt's is found by its mark: that one is adopted."""
    if (full := reserve_create(state)) is not None:
        return full
    mark = saga_tag(state)
    state.put_output("droplet_mark", mark)
    state.put_output("droplet_since", state.first_began_at.isoformat())
    found = _made_by(cloud, mark, since=state.first_began_at)
    if not found and (unsure := wait_for_listing(state, list_lag_ends_at(state), of="the droplet")):
        return unsure
    if state.attempt > 1:  # the list may show another one late, of an earlier request or of this one
        until = state.now() + timedelta(seconds=settings.ARCADIA_SAGA_TAG_LAG_SECONDS)
        state.put_output("twins_until", until.isoformat())
    if found:
        state.put_output("droplet_id", found[0].id)
        return None
    order = {field: state.inputs[field] for field in _ORDERED if field in state.inputs}
    created = cloud.create_droplet(**order, tags=[*state.inputs.get("tags", ()), mark])
    state.put_output("droplet_id", created.droplet.id)
    state.put_output("create_action_id", created.action_id)
    return None


@with_cloud
def remove_created(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the droplet, and any other that carries its mark, until none can turn up any more."""
    droplet_id, until = state.get_output("droplet_id"), state.get_output("twins_until")
    found = {droplet.id: droplet for droplet in _made_by(cloud, saga_tag(state), since=state.first_began_at)}
    if droplet_id is not None and droplet_id not in found:
        found |= {droplet.id: droplet for droplet in _still_there(cloud, droplet_id)}
    if busy := [droplet for droplet in found.values() if droplet.locked]:
        return look_again(f"droplet {busy[0].id} is busy with an event")
    for droplet in found.values():
        remove_droplet(state, cloud, droplet)
    if droplet_id is not None:
        tell_removed(state, Kind.DROPLET, str(droplet_id))  # the answer to an earlier removal may be lost
    if droplet_id is not None and until is None:
        return None  # one request, one answer
    ends = [datetime.fromisoformat(until)] if until is not None else []
    if (lag_ends := list_lag_ends_at(state)) is not None:  # an attempt that died later than that told nothing
        ends.append(lag_ends)
    return wait_for_listing(state, max(ends, default=None), of="a droplet")


@with_cloud
def wait_droplet_active(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Until the droplet runs; twins of it that turn up meanwhile are removed.

    Raises StepFailed when the create action ends errored, and when the droplet stays away: a 202 is no
    success.
    """
    droplet_id, until = state.get_output("droplet_id"), state.get_output("twins_until")
    found = _still_there(cloud, droplet_id)
    if not found or found[0].status == "new" or found[0].locked:
        return _not_yet(state, cloud, is_there=bool(found))
    if until is not None:
        twins = [each for each in _of_the_order(state, cloud) if each.id != droplet_id]
        if any(twin.locked for twin in twins):
            return look_again("a second droplet came of a repeated request, and is busy")
        for twin in twins:
            remove_droplet(state, cloud, twin)
        if unsure := wait_for_listing(state, datetime.fromisoformat(until), of="a second droplet"):
            return unsure
    public = [each.ip_address for each in found[0].networks.v4 if each.type == "public"]
    state.put_output("droplet_ip", public[0] if public else None)
    return None


def _not_yet(state: StepState, cloud: DigitalOcean, *, is_there: bool) -> Wait:
    """Wait on, unless the action that makes the droplet failed, or is over and the droplet isn't there."""
    droplet_id, action_id = state.get_output("droplet_id"), state.get_output("create_action_id")
    status = _status_of(cloud, action_id) if action_id is not None else ""
    if status == "errored":
        raise FinalError(f"DigitalOcean gave up making droplet {droplet_id} (action {action_id})")
    if not is_there and status != "in-progress":
        away_for = (state.now() - state.first_began_at).total_seconds()
        if away_for > settings.ARCADIA_SAGA_TAG_LAG_SECONDS:
            raise FinalError(f"droplet {droplet_id} has vanished")
    return look_again(f"droplet {droplet_id} is being made")


def _status_of(cloud: DigitalOcean, action_id: int) -> str:
    """The action's status, "" where it can't be read: what was just made may not be found at first."""
    try:
        return cloud.action(action_id).status
    except ProviderNotFound:
        return ""


def _of_the_order(state: StepState, cloud: DigitalOcean) -> list[DropletRecord]:
    """What came of an earlier step's order."""
    since = datetime.fromisoformat(state.get_output("droplet_since", state.first_began_at.isoformat()))
    return _made_by(cloud, state.get_output("droplet_mark"), since=since)


def _made_by(cloud: DigitalOcean, mark: str, *, since: datetime) -> list[DropletRecord]:
    """By the list, which lags: the droplets with the mark, without those that were there before."""
    earliest = since - timedelta(seconds=settings.ARCADIA_SAGA_CLOCK_SLACK_SECONDS)
    ours = (each for each in cloud.droplets(tag=mark) if each.created_at >= earliest)
    return sorted(ours, key=lambda droplet: droplet.id)


def _still_there(cloud: DigitalOcean, droplet_id: int) -> list[DropletRecord]:
    try:
        return [cloud.droplet(droplet_id)]
    except ProviderNotFound:
        return []


STEPS = (
    # Without a deadline: over the caps it waits for its turn.
    Step(
        "create_droplet",
        create_droplet,
        compensate=remove_created,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
    Step("wait_droplet_active", wait_droplet_active, retries=RETRIES, deadline_seconds=1800),
)
