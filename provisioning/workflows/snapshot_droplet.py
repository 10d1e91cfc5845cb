"""The `snapshot_droplet` workflow."""

from collections.abc import Sequence

from provisioning.contract import Effects, Workflow
from provisioning.workflows.droplets import DropletInputs, SnapshotName, describe_snapshot


class SnapshotDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet as it runs: not switched off, so the snapshot is as consistent as its guest's disk is."""

    snapshot_name: SnapshotName = ""

    def check(self) -> None:
        """Refuse what can't be changed. A protected droplet may have snapshots: they do it no harm."""
        self.check_can_be_changed()

    def steps(self) -> Sequence[str]:
        return [
            "look_at_droplet",
            "reserve_snapshot",
            "snapshot_droplet",
            "observe_snapshot",
            "observe_droplet",
        ]

    def effects(self) -> Effects:
        return Effects(
            creates=[describe_snapshot(self.find_droplet())],
            price_note="a snapshot costs by its size, which is known once it is taken",
            counted_creates=1,
        )


SNAPSHOT_DROPLET = Workflow(
    "snapshot_droplet", SnapshotDroplet, title="Take a snapshot", deadline_seconds=4 * 3600
)
