"""The `resize_droplet` workflow."""

from collections.abc import Sequence

from provisioning.contract import Workflow
from provisioning.workflows.droplets import DropletInputs, SizeSlug, SnapshotName


class ResizeDroplet(DropletInputs, frozen=True, kw_only=True):
    """CPU and memory of a droplet; with `grow_disk` its disk too, which is irreversible and comes last."""

    size: SizeSlug
    snapshot: bool = False
    snapshot_name: SnapshotName = ""
    grow_disk: bool = False

    def steps(self) -> Sequence[str]:
        snapshot = ["reserve_snapshot", "snapshot_droplet", "observe_snapshot"] if self.snapshot else []
        before = ["look_at_droplet", "require_fitting_size", *snapshot, "shut_down_droplet"]
        if self.grow_disk:
            return [*before, "resize_droplet_for_good"]
        return [*before, "resize_droplet", "power_on_droplet", "observe_droplet", "record_desired_size"]


RESIZE_DROPLET = Workflow("resize_droplet", ResizeDroplet, title="Resize a droplet")
