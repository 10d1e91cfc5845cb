"""Builder of fleets: the ids, times and droplets of an account's first resources."""

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
    """A droplet of a fleet, created so many days before the fleet's newest time."""

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
    """An account whose fleet is being created, with the same ids and ages in every simulation."""

    account: Account
    newest_at: datetime

    def uuid_for(self, kind: str, name: str) -> str:
        """Return a uuid that is the same in every simulation."""
        return str(uuid.uuid5(NAMESPACE, f"{self.account.team}/{kind}/{name}"))

    def time_at_age(self, age_days: int) -> datetime:
        """Return a time so many days before the fleet's newest one."""
        # At a different second of each day, so that resources of different ages don't all begin at midnight.
        return self.newest_at - timedelta(days=age_days, seconds=age_days * 7919 % 86400)

    def timestamp_at_age(self, age_days: int) -> str:
        return format_time(self.time_at_age(age_days))

    def get_droplet(self, name: str) -> Droplet:
        """Return the droplet of that name, to change it. Raises KeyError."""
        ids = self.account.droplets.ids_with_name(name)
        droplet = self.account.droplets.get_for_update(ids[0]) if ids else None
        if droplet is None:
            raise KeyError(name)
        return droplet

    def add_droplet(self, fleet_droplet: FleetDroplet, number: int) -> None:
        """Add a droplet to the account and its project; `number` decides its id and address."""
        policy: Json | None = dict(_DAILY_BACKUP) if fleet_droplet.backups else None
        # Seconds that differ from one to the next, so that no two are made at the same moment.
        created_at = self.newest_at - timedelta(days=fleet_droplet.age_days, seconds=number * 7919 % 86400)
        droplet = Droplet(
            id=_FIRST_ID + number * _ID_STEP,
            name=fleet_droplet.name,
            size=fleet_droplet.size,
            region=fleet_droplet.region,
            image=IMAGE_IDS[fleet_droplet.image],
            created_at=created_at,
            address=_LAST_ADDRESS - number,
            tags=self.account.register_tags(fleet_droplet.tags),
            status=fleet_droplet.status,
            ipv6=fleet_droplet.ipv6,
            backup_policy=policy,
            vpc_uuid=default_vpc(self.account.team, fleet_droplet.region),
        )
        self.account.droplets.add(droplet)
        project = self.account.projects.find_by_name(fleet_droplet.project)
        if project is not None:
            self.account.projects.assign(droplet.urn, project, created_at)


def owner_tags(tenant: str, deployment: str = "", *others: str) -> tuple[str, ...]:
    """Return the tags that name the owner of something, and `others`."""
    return (f"tenant:{tenant}", *((f"deployment:{deployment}",) if deployment else ()), *others)
