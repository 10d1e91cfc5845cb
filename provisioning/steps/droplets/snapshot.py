"""Snapshots of a droplet. The action that takes one doesn't name it: it is found by its name.

Stores `snapshot_name` and `snapshot_id`.
"""

import contextlib
from datetime import timedelta
from typing import Final

from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.values import Kind
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.create_caps import reserve_create
from provisioning.saga_marks import saga_suffix
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.actions import act, find_own_action
from provisioning.steps.droplets.checks import wait_for_event, wait_while_busy
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import record_removal


def reserve_snapshot(state: StepState) -> Wait | None:
    """Count the snapshot that is to be taken next against the caps on creates; wait while there is no room.

    A step of its own, without a deadline, for workflows whose droplet runs meanwhile.
    """
    return reserve_create(state)


@with_cloud
def snapshot_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Take a snapshot, unless an earlier attempt's is there or on its way. The droplet may run meanwhile."""
    droplet_id = state.get_output("droplet_id")
    state.put_output("snapshot_name", _name_of(state))
    if taken := _find_taken(state, cloud):
        # Two requests may both have been heard: one snapshot is enough, and each costs.
        for twin in taken[1:]:
            _remove(state, cloud, twin)
        state.put_output("snapshot_id", taken[0])
        return None
    if find_own_action(state, cloud, droplet_id, "snapshot") is None:
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the snapshot"):
            return wait
        if busy := wait_while_busy(cloud.droplet(droplet_id)):
            return busy
    return act(state, cloud, droplet_id, "snapshot", name=_name_of(state))


@with_cloud
def remove_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the snapshot; never the last that is left of a droplet, or of its disk.

    Raises FinalError, and keeps it, where the droplet was to be restored from it and wasn't.
    """
    try:
        droplet = cloud.droplet(state.get_output("droplet_id"))
    except ProviderNotFound:
        return None
    # Its disk was made anew: until it is known to be restored, nothing else has what was on it.
    if state.get_output("restored") is False:
        raise FinalError(
            f"droplet {droplet.id} was not restored: snapshot {state.get_output('snapshot_id')} is kept"
        )
    if busy := wait_while_busy(droplet):
        return busy
    # By name too: an attempt whose answer was lost left no id.
    known = state.get_output("snapshot_id")
    for snapshot_id in {*_find_taken(state, cloud), *([known] if known is not None else [])}:
        _remove(state, cloud, snapshot_id)
    if known is not None:
        return None
    # An action by an unknown id may still be taking it: nothing of it is on the list before it is done.
    if event := wait_for_event(cloud, droplet.id):
        return event
    return wait_for_listing(state, list_lag_ends_at(state), of="a snapshot")


def _remove(state: StepState, cloud: DigitalOcean, snapshot_id: str) -> None:
    # Gone already: a first try whose answer was lost, or somebody else.
    with contextlib.suppress(ProviderNotFound):
        cloud.delete_snapshot(snapshot_id)
    record_removal(state, Kind.SNAPSHOT, snapshot_id)


def _name_of(state: StepState) -> str:
    """Return a name that can be found again: the one that was asked for, and the saga's mark."""
    wanted = state.inputs.get("snapshot_name") or state.get_output("droplet_name")
    return f"{wanted}-{saga_suffix(state)}"


def _find_taken(state: StepState, cloud: DigitalOcean) -> list[str]:
    """Return the droplet's snapshots of this name, without any from before the step: they aren't its own."""
    earliest = state.first_began_at - timedelta(seconds=settings.ARCADIA_SAGA_CLOCK_SLACK_SECONDS)
    return [
        str(each.id)
        for each in cloud.droplet_snapshots(state.get_output("droplet_id"))
        if each.name == _name_of(state) and each.created_at is not None and each.created_at >= earliest
    ]


STEPS: Final = (
    Step("reserve_snapshot", reserve_snapshot),
    Step(
        "snapshot_droplet",
        snapshot_droplet,
        compensate=remove_snapshot,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=4 * 3600,
        compensate_on_failure=True,
    ),
)
