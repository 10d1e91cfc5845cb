"""`destroy_droplet`: a last snapshot, unless it is refused, and then the step without a way back."""

from collections.abc import Sequence

from provisioning.contract import Inputs, Ownership, Workflow
from provisioning.workflows.droplets import (
    DropletId,
    SnapshotName,
    check_may_be_changed,
    owner_of_droplet,
    subject_of,
)


class DestroyDroplet(Inputs, frozen=True, kw_only=True):
    """Which droplet. Its volumes, other snapshots and reserved IPs stay, and go on costing."""

    droplet_id: DropletId
    keep_snapshot: bool = True
    snapshot_name: SnapshotName = ""


def _check(wish: DestroyDroplet) -> None:
    check_may_be_changed(wish.droplet_id)


def _steps(wish: DestroyDroplet) -> Sequence[str]:
    """Switched off first: the last snapshot is one of a disk at rest. It counts against no cap."""
    snapshot = ["shut_down_droplet", "snapshot_droplet", "observe_snapshot"]
    return ["look_at_droplet", *(snapshot if wish.keep_snapshot else []), "destroy_droplet"]


def _subjects(wish: DestroyDroplet) -> Sequence[str]:
    return [subject_of(wish.droplet_id)]


def _ownership(wish: DestroyDroplet) -> Ownership:
    return owner_of_droplet(wish.droplet_id)


WORKFLOW = Workflow(
    "destroy_droplet",
    inputs=DestroyDroplet,
    steps=_steps,
    subjects=_subjects,
    title="Destroy a droplet",
    ownership=_ownership,
    check=_check,
    deadline_seconds=4 * 3600,
)
