"""What the parts of the estate are made with."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.account import Account
from simulator.clock import stamp
from simulator.droplet import NAMESPACE, Droplet


@dataclass(frozen=True, slots=True)
class Estate:
    account: Account
    newest_at: datetime

    def id_of(self, kind: str, name: str) -> str:
        """A uuid that is the same in every world."""
        return str(uuid.uuid5(NAMESPACE, f"{self.account.team}/{kind}/{name}"))

    def at(self, age_days: int) -> datetime:
        return self.newest_at - timedelta(days=age_days, seconds=age_days * 7919 % 86400)

    def made(self, age_days: int) -> str:
        return stamp(self.at(age_days))

    def droplet(self, name: str) -> Droplet:
        """The droplet of that name. Raises KeyError."""
        found = self.account.droplets.named(name)
        droplet = self.account.droplets.edit(found[0]) if found else None
        if droplet is None:
            raise KeyError(name)
        return droplet


def tags_of(tenant: str, deployment: str = "", *others: str) -> list[str]:
    """The tags that tell whose something is."""
    return [f"tenant:{tenant}", *([f"deployment:{deployment}"] if deployment else []), *others]
