"""`snapshot_droplet`: a snapshot of a droplet as it runs."""

from collections.abc import Sequence

from provisioning.contract import Inputs, Ownership, Workflow
from provisioning.workflows.droplets import (
    DropletId,
    SnapshotName,
    check_may_be_changed,
    owner_of_droplet,
    subject_of,
)


class SnapshotDroplet(Inputs, frozen=True, kw_only=True):
    """Which droplet. It isn't switched off, so the snapshot is as consistent as its guest's disk is."""

    droplet_id: DropletId
    snapshot_name: SnapshotName = ""


def _check(wish: SnapshotDroplet) -> None:
    check_may_be_changed(wish.droplet_id, harmless=True)


def _steps(_wish: SnapshotDroplet) -> Sequence[str]:
    return [
        "look_at_droplet",
        "reserve_snapshot",
        "snapshot_droplet",
        "observe_snapshot",
        "observe_droplet",
    ]


def _subjects(wish: SnapshotDroplet) -> Sequence[str]:
    return [subject_of(wish.droplet_id)]


def _ownership(wish: SnapshotDroplet) -> Ownership:
    return owner_of_droplet(wish.droplet_id)


WORKFLOW = Workflow(
    "snapshot_droplet",
    inputs=SnapshotDroplet,
    steps=_steps,
    subjects=_subjects,
    title="Take a snapshot",
    ownership=_ownership,
    check=_check,
    deadline_seconds=4 * 3600,
)
