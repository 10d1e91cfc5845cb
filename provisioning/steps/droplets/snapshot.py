"""Snapshots of a droplet. The action that takes one doesn't name it: it is found by its name.

Stores `snapshot_name` and `snapshot_id`.
"""

import contextlib
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.values import Kind
from provisioning.contract import Step, StepState, Wait
from provisioning.create_caps import reserve_create
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, poll, with_cloud
from provisioning.steps.droplets.actions import act, has_begun
from provisioning.steps.droplets.checks import wait_while_busy
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
        state.put_output("snapshot_id", taken[0])
        return None
    if not has_begun(state, cloud, droplet_id, "snapshot"):
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the snapshot"):
            return wait
        if busy := wait_while_busy(cloud.droplet(droplet_id)):
            return busy
    act(state, cloud, droplet_id, "snapshot", name=_name_of(state))
    return poll(f"a snapshot of droplet {droplet_id} is being taken")


@with_cloud
def remove_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the snapshot; never the last that is left of a droplet that is gone."""
    try:
        droplet = cloud.droplet(state.get_output("droplet_id"))
    except ProviderNotFound:
        return None
    if busy := wait_while_busy(droplet):
        return busy
    # By name too: an attempt whose answer was lost left no id.
    known = state.get_output("snapshot_id")
    for snapshot_id in {*_find_taken(state, cloud), *([known] if known is not None else [])}:
        with contextlib.suppress(ProviderNotFound):
            cloud.delete_snapshot(snapshot_id)
        record_removal(state, Kind.SNAPSHOT, snapshot_id)
    return None if known is not None else wait_for_listing(state, list_lag_ends_at(state), of="a snapshot")


def _name_of(state: StepState) -> str:
    """Return a name that can be found again: the one that was asked for, and the saga's number."""
    wanted = state.inputs.get("snapshot_name") or state.get_output("droplet_name")
    return f"{wanted}-saga-{state.saga_id}-{state.step_idx}"


def _find_taken(state: StepState, cloud: DigitalOcean) -> list[str]:
    snapshots = cloud.droplet_snapshots(state.get_output("droplet_id"))
    return [str(each.id) for each in snapshots if each.name == _name_of(state)]


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
