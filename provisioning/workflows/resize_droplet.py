"""`resize_droplet`: more or fewer CPUs and memory; with `grow_disk` a larger disk too, which is for good."""

from collections.abc import Sequence

from provisioning.contract import Inputs, Ownership, Workflow
from provisioning.workflows.droplets import (
    DropletId,
    SizeSlug,
    SnapshotName,
    check_may_be_changed,
    owner_of_droplet,
    subject_of,
)


class ResizeDroplet(Inputs, frozen=True, kw_only=True):
    """Which droplet is to have which size. Without `grow_disk` it can be given its former size again."""

    droplet_id: DropletId
    size: SizeSlug
    snapshot: bool = False
    snapshot_name: SnapshotName = ""
    grow_disk: bool = False


def _check(wish: ResizeDroplet) -> None:
    check_may_be_changed(wish.droplet_id)


def _steps(wish: ResizeDroplet) -> Sequence[str]:
    before = [
        "look_at_droplet",
        "require_fitting_size",
        *(["reserve_snapshot", "snapshot_droplet", "observe_snapshot"] if wish.snapshot else []),
        "shut_down_droplet",
    ]
    if wish.grow_disk:
        return [*before, "resize_droplet_for_good"]
    return [
        *before,
        "resize_droplet",
        "power_on_droplet",
        "observe_droplet",
        "record_desired_size",
    ]


def _subjects(wish: ResizeDroplet) -> Sequence[str]:
    return [subject_of(wish.droplet_id)]


def _ownership(wish: ResizeDroplet) -> Ownership:
    return owner_of_droplet(wish.droplet_id)


WORKFLOW = Workflow(
    "resize_droplet",
    inputs=ResizeDroplet,
    steps=_steps,
    subjects=_subjects,
    title="Resize a droplet",
    ownership=_ownership,
    check=_check,
)
