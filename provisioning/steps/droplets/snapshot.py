"""Snapshots of a droplet. The action that takes one doesn't tell which it took: it is found by its name.

Keeps `snapshot_name` and `snapshot_id`.
"""

import contextlib

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.values import Kind
from provisioning.brakes import reserve_create
from provisioning.contract import Step, StepState, Wait
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, look_again, with_cloud
from provisioning.steps.droplets.delete import tell_removed
from provisioning.steps.droplets.power import act, has_begun
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing


def reserve_snapshot(state: StepState) -> Wait | None:
    """Count the snapshot that is to be taken next against the caps on creates; wait while there is no room.

    A step of its own, without a deadline, for workflows whose droplet runs meanwhile.
    """
    return reserve_create(state)


@with_cloud
def snapshot_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Take a snapshot, unless an earlier attempt's is there or on its way. The droplet may run meanwhile."""
    droplet_id = state.get_output("droplet_id")
    state.put_output("snapshot_name", _name(state))
    if taken := _taken(state, cloud):
        state.put_output("snapshot_id", taken[0])
        return None
    if not has_begun(state, cloud, droplet_id, "snapshot"):
        if unsure := wait_for_listing(state, list_lag_ends_at(state), of="the snapshot"):
            return unsure
        if cloud.droplet(droplet_id).locked:
            return look_again(f"droplet {droplet_id} is busy with an event")
    act(state, cloud, droplet_id, "snapshot", name=_name(state))
    return look_again(f"a snapshot of droplet {droplet_id} is being taken")


@with_cloud
def remove_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the snapshot; never the last that is left of a droplet that is gone."""
    try:
        droplet = cloud.droplet(state.get_output("droplet_id"))
    except ProviderNotFound:
        return None
    if droplet.locked:
        return look_again(f"droplet {droplet.id} is busy with an event")
    known = state.get_output("snapshot_id")
    for snapshot_id in {*_taken(state, cloud), *([known] if known is not None else [])}:
        with contextlib.suppress(ProviderNotFound):
            cloud.delete_snapshot(snapshot_id)
        tell_removed(state, Kind.SNAPSHOT, snapshot_id)
    return None if known is not None else wait_for_listing(state, list_lag_ends_at(state), of="a snapshot")


def _name(state: StepState) -> str:
    """Its own name, so that it can be found, after the one that was asked for."""
    wanted = state.inputs.get("snapshot_name") or state.get_output("droplet_name")
    return f"{wanted}-saga-{state.saga_id}-{state.step_idx}"


def _taken(state: StepState, cloud: DigitalOcean) -> list[str]:
    snapshots = cloud.droplet_snapshots(state.get_output("droplet_id"))
    return [str(each.id) for each in snapshots if each.name == _name(state)]


STEPS = (
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
