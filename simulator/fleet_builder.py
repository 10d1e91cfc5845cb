"""What the parts of the estate are made with."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.account import Account
from simulator.catalog import IMAGE_IDS, Json
from simulator.clock import format_time
from simulator.droplet import NAMESPACE, Droplet, default_vpc

_FIRST_ID: Final = 480_000_000
_ID_STEP: Final = 1_013
_LAST_ADDRESS: Final = 131_000  # above every address of the synthetic droplets
_DAILY_BACKUP: Final = {"plan": "daily", "hour": 4}


@dataclass(frozen=True, slots=True)
class FleetDroplet:
    """One droplet of a fleet, so many days older than the fleet's newest time."""

    name: str
    size: str
    region: str
    project: str
    tags: tuple[str, ...]
    age_days: int
    image: str = "ubuntu-24-04-x64"
    status: str = "active"
    backups: bool = False
    ipv6: bool = False


@dataclass(frozen=True, slots=True)
class FleetBuilder:
    """An account in the making: ids and times of what a fleet puts into it, the same in every simulation."""

    account: Account
    newest_at: datetime

    def uuid_for(self, kind: str, name: str) -> str:
        """A uuid that is the same in every world."""
        return str(uuid.uuid5(NAMESPACE, f"{self.account.team}/{kind}/{name}"))

    def time_at_age(self, age_days: int) -> datetime:
        return self.newest_at - timedelta(days=age_days, seconds=age_days * 7919 % 86400)

    def timestamp_at_age(self, age_days: int) -> str:
        return format_time(self.time_at_age(age_days))

    def get_droplet(self, name: str) -> Droplet:
        """The droplet of that name. Raises KeyError."""
        found = self.account.droplets.ids_with_name(name)
        droplet = self.account.droplets.get_for_update(found[0]) if found else None
        if droplet is None:
            raise KeyError(name)
        return droplet

    def add_droplet(self, member: FleetDroplet, number: int) -> None:
        """Add the fleet's droplet of that number, in its project."""
        policy: Json | None = dict(_DAILY_BACKUP) if member.backups else None
        # Seconds that differ from one to the next, so that no two are made at the same moment.
        created_at = self.newest_at - timedelta(days=member.age_days, seconds=number * 7919 % 86400)
        droplet = Droplet(
            id=_FIRST_ID + number * _ID_STEP,
            name=member.name,
            size=member.size,
            region=member.region,
            image=IMAGE_IDS[member.image],
            created_at=created_at,
            address=_LAST_ADDRESS - number,
            tags=self.account.register_tags(member.tags),
            status=member.status,
            ipv6=member.ipv6,
            backup_policy=policy,
            vpc_uuid=default_vpc(self.account.team, member.region),
        )
        self.account.droplets.add(droplet)
        project = self.account.projects.find_by_name(member.project)
        if project is not None:
            self.account.projects.assign(droplet.urn, project, created_at)


def owner_tags(tenant: str, deployment: str = "", *others: str) -> tuple[str, ...]:
    """Return the tags that name the owner of something, and `others`."""
    return (f"tenant:{tenant}", *((f"deployment:{deployment}",) if deployment else ()), *others)
