"""The `resize_droplet` workflow."""

from collections.abc import Sequence

from provisioning.contract import Effects, SizeOrder, Workflow
from provisioning.provider_offer import price_of_size
from provisioning.workflows.droplets import (
    DropletInputs,
    SizeSlug,
    SnapshotName,
    describe_droplet,
    describe_snapshot,
    price_of_droplet,
)


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

    def size_orders(self) -> Sequence[SizeOrder]:
        return [SizeOrder(self.size, self.find_droplet().region)]

    def effects(self) -> Effects:
        droplet = self.find_droplet()
        # What it costs now is what the inventory saw: sizes that are no longer sold have a price, too.
        before, after = price_of_droplet(droplet), price_of_size(self.size)
        present = droplet.attrs.get("size_slug", "unknown")
        disk = "; its disk grows, which can't be undone" if self.grow_disk else ""
        notes = ["without the snapshot's price"] if self.snapshot else []
        if before is None or after is None:
            notes.append("the present or the new size's price isn't known")
        return Effects(
            creates=[describe_snapshot(droplet)] if self.snapshot else [],
            changes=[describe_droplet(droplet, f"size {present} to {self.size}{disk}")],
            powered_off=[f"{droplet.name} is off while it is resized"],
            price_change=None if before is None or after is None else after - before,
            price_note="; ".join(notes),
            counted_creates=int(self.snapshot),
        )


RESIZE_DROPLET = Workflow("resize_droplet", ResizeDroplet, title="Resize a droplet")
