"""The `destroy_droplet` workflow."""

from collections.abc import Sequence

from provisioning.contract import Effects, Workflow
from provisioning.workflows.droplets import (
    DropletInputs,
    SnapshotName,
    describe_droplet,
    describe_snapshot,
    price_of_droplet,
)


class DestroyDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet, and whether a last snapshot is kept. Its volumes and snapshots stay, and go on costing."""

    keep_snapshot: bool = True
    snapshot_name: SnapshotName = ""

    def steps(self) -> Sequence[str]:
        # Switched off first: the last snapshot is one of a disk at rest.
        snapshot = ["shut_down_droplet", "snapshot_droplet", "observe_snapshot"]
        return ["look_at_droplet", *(snapshot if self.keep_snapshot else []), "destroy_droplet"]

    def effects(self) -> Effects:
        droplet = self.find_droplet()
        price = price_of_droplet(droplet)
        return Effects(
            creates=[describe_snapshot(droplet)] if self.keep_snapshot else [],
            destroys=[describe_droplet(droplet, "for good; its volumes and snapshots stay")],
            powered_off=[f"{droplet.name} is shut down, and then destroyed"],
            price_change=None if price is None else -price,
            price_note="without the last snapshot's price" if self.keep_snapshot else "",
        )


DESTROY_DROPLET = Workflow(
    "destroy_droplet", DestroyDroplet, title="Destroy a droplet", deadline_seconds=4 * 3600
)
