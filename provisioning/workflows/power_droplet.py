"""The `power_off_droplet` and `power_on_droplet` workflows."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.money import Money
from inventory.values import PROVIDER_CURRENCY
from provisioning.contract import Effects, Workflow
from provisioning.workflows.droplets import DropletInputs, describe_droplet

NO_CHANGE: Final = Money(Decimal(0), PROVIDER_CURRENCY)
OFF_COSTS: Final = "a droplet costs the same on and off"


class PowerOffDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet to shut down, or to switch off when its guest ignores that. It goes on costing."""

    def steps(self) -> Sequence[str]:
        return ["look_at_droplet", "shut_down_droplet", "observe_droplet", "record_desired_power"]

    def effects(self) -> Effects:
        droplet = self.find_droplet()
        return Effects(
            changes=[describe_droplet(droplet, f"{droplet.status or 'unknown'} to off")],
            powered_off=[f"{droplet.name} is off until it is powered on again"],
            price_change=NO_CHANGE,
            price_note=OFF_COSTS,
        )


class PowerOnDroplet(DropletInputs, frozen=True, kw_only=True):
    """A droplet to switch on."""

    def check(self) -> None:
        """Refuse what can't be changed. A protected droplet may be switched on: it does it no harm."""
        self.check_can_be_changed()

    def steps(self) -> Sequence[str]:
        return ["look_at_droplet", "switch_on_droplet", "observe_droplet", "record_desired_power"]

    def effects(self) -> Effects:
        droplet = self.find_droplet()
        return Effects(
            changes=[describe_droplet(droplet, f"{droplet.status or 'unknown'} to active")],
            price_change=NO_CHANGE,
            price_note=OFF_COSTS,
        )


POWER_OFF_DROPLET = Workflow("power_off_droplet", PowerOffDroplet, title="Power a droplet off")
POWER_ON_DROPLET = Workflow("power_on_droplet", PowerOnDroplet, title="Power a droplet on")
