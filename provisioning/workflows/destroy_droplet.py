"""The `destroy_droplet` workflow."""

from collections.abc import Sequence

from provisioning.contract import Workflow
from provisioning.workflows.droplets import DropletInputs, SnapshotName


class DestroyDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet, and whether a last snapshot is kept. Its volumes and snapshots stay, and go on costing."""

    keep_snapshot: bool = True
    snapshot_name: SnapshotName = ""

    def steps(self) -> Sequence[str]:
        # Switched off first: the last snapshot is one of a disk at rest.
        snapshot = ["shut_down_droplet", "snapshot_droplet", "observe_snapshot"]
        return ["look_at_droplet", *(snapshot if self.keep_snapshot else []), "destroy_droplet"]


DESTROY_DROPLET = Workflow(
    "destroy_droplet", DestroyDroplet, title="Destroy a droplet", deadline_seconds=4 * 3600
)
