"""The `power_off_droplet` and `power_on_droplet` workflows."""

from collections.abc import Sequence

from provisioning.contract import Workflow
from provisioning.workflows.droplets import DropletInputs


class PowerOffDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet to shut down, or to switch off when its guest ignores that. It goes on costing."""

    def steps(self) -> Sequence[str]:
        return ["look_at_droplet", "shut_down_droplet", "observe_droplet", "record_desired_power"]


class PowerOnDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet to switch on."""

    def check(self) -> None:
        """Refuse what can't be changed. A protected droplet may be switched on: it does it no harm."""
        self.check_can_be_changed()

    def steps(self) -> Sequence[str]:
        return ["look_at_droplet", "switch_on_droplet", "observe_droplet", "record_desired_power"]


POWER_OFF_DROPLET = Workflow("power_off_droplet", PowerOffDroplet, title="Power a droplet off")
POWER_ON_DROPLET = Workflow("power_on_droplet", PowerOnDroplet, title="Power a droplet on")
