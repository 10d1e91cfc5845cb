"""What an account holds at the start.

Fleets by name, the same for every seed, so that demo data can rely on their names, tags and projects:
`droplets` (three tenants with a project each, droplets that only a tag or only a project tells the owner of,
one that nothing does, and a GPU droplet), `default` (the same and all other kinds, see
`simulator.default_fleet`), and `reference` (five droplets, nothing else). No project is called
`skyai-internal`: whoever wants one makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from simulator.account import BULK_NEWEST, Account
from simulator.catalog import IMAGE_IDS, Json
from simulator.default_fleet import furnish
from simulator.default_fleet.site import Estate
from simulator.droplet import Droplet, default_vpc
from simulator.load import burden

_FIRST_ID: Final = 480_000_000
_ID_STEP: Final = 1_013
_ADDRESS: Final = 131_000  # above every address of the bulk
_DAILY: Final = {"plan": "daily", "hour": 4}
_PROJECT_AGE_DAYS: Final = 500


@dataclass(frozen=True, slots=True)
class Member:
    """One droplet of a fleet, so many days older than the newest of the bulk."""

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


def _tags(tenant: str, deployment: str = "", *others: str) -> tuple[str, ...]:
    return (f"tenant:{tenant}", *((f"deployment:{deployment}",) if deployment else ()), *others)


_DEFAULT: Final = (
    Member("shop-web-01", "s-2vcpu-4gb", "nyc3", "acme", _tags("acme", "shop", "role:web"), 412, ipv6=True),
    Member("shop-web-02", "s-2vcpu-4gb", "nyc3", "acme", _tags("acme", "shop", "role:web"), 97, ipv6=True),
    Member("shop-db-01", "m-2vcpu-16gb", "nyc3", "acme", _tags("acme", "shop", "role:db"), 412, backups=True),
    Member("wiki-01", "s-1vcpu-2gb", "atl1", "acme", _tags("acme", "wiki"), 203, "debian-12-x64"),
    Member("crm-app-01", "g-2vcpu-8gb", "fra1", "globex", _tags("globex", "crm", "role:app"), 288),
    Member("crm-worker-01", "s-4vcpu-8gb", "fra1", "globex", _tags("globex", "crm", "role:worker"), 288),
    Member(
        "crm-db-01", "s-8vcpu-16gb", "fra1", "globex", _tags("globex", "crm", "role:db"), 288, backups=True
    ),
    Member("sandbox-01", "s-1vcpu-1gb", "ams3", "globex", (), 31, "ubuntu-22-04-x64"),
    Member("reports-01", "c-2", "sfo3", "initech", _tags("initech", "reports"), 150, "rockylinux-9-x64"),
    Member("legacy-files", "s-2vcpu-2gb", "lon1", "initech", _tags("initech"), 486, "debian-11-x64", "off"),
    Member("bastion-01", "s-1vcpu-512mb-10gb", "nyc3", "arcadia", ("internal", "role:bastion"), 486),
    Member("test-delete-me", "s-1vcpu-1gb-amd", "sgp1", "arcadia", (), 12),
    Member(
        "assist-gpu-01", "gpu-h100x1-80gb", "tor1", "acme", _tags("acme", "assist"), 64, "gpu-h100x1-base"
    ),
)
_REFERENCE: Final = (
    Member("acme-web-01", "s-1vcpu-1gb", "nyc3", "acme", _tags("acme", "site", "role:web"), 120),
    Member("acme-web-02", "s-1vcpu-1gb", "nyc3", "acme", _tags("acme", "site", "role:web"), 120),
    Member("acme-db-01", "s-2vcpu-4gb", "nyc3", "acme", _tags("acme", "site", "role:db"), 120),
    Member("globex-app-01", "s-4vcpu-8gb", "fra1", "globex", _tags("globex", "erp"), 60),
    Member("bastion-01", "s-1vcpu-1gb", "fra1", "arcadia", ("internal",), 200),
)
FLEETS: Final = {"default": _DEFAULT, "droplets": _DEFAULT, "reference": _REFERENCE, "empty": ()}
_PROJECTS: Final = {
    "default": ("acme", "globex", "initech"),
    "droplets": ("acme", "globex", "initech"),
    "reference": ("acme", "globex"),
    "empty": (),
}


def populate(account: Account, *, fleet: str, load: Mapping[str, int]) -> None:
    """Make the fleet's projects and droplets, and the load; the default project is there in each."""
    newest = min(account.clock.now().date(), BULK_NEWEST)
    newest_at = datetime.combine(newest, time_of_day(), UTC)
    opened = newest_at - timedelta(days=_PROJECT_AGE_DAYS)
    account.projects.add(
        name="arcadia",
        description="Update your project information under Settings",
        purpose="Operational / Developer tooling",
        environment="Production",
        owner=account.uuid,
        at=opened,
    )
    for name in _PROJECTS[fleet]:
        account.projects.add(
            name=name,
            description=f"What runs for {name}",
            purpose="Service or API",
            environment="Production",
            owner=account.uuid,
            at=opened,
        )
    for number, member in enumerate(FLEETS[fleet]):
        _place(account, member, number, newest_at)
    if fleet == "default":
        furnish(account, newest_at)
    burden(Estate(account, newest_at), load)
    account.canonical_tags(account.droplets.bulk.tags())


def _place(account: Account, member: Member, number: int, newest_at: datetime) -> None:
    policy: Json | None = dict(_DAILY) if member.backups else None
    created_at = newest_at - timedelta(days=member.age_days, seconds=number * 7919 % 86400)
    droplet = Droplet(
        id=_FIRST_ID + number * _ID_STEP,
        name=member.name,
        size=member.size,
        region=member.region,
        image=IMAGE_IDS[member.image],
        created_at=created_at,
        address=_ADDRESS - number,
        tags=account.canonical_tags(list(member.tags)),
        status=member.status,
        ipv6=member.ipv6,
        backup_policy=policy,
        vpc_uuid=default_vpc(account.team, member.region),
    )
    account.droplets.add(droplet)
    project = account.projects.named(member.project)
    if project is not None:
        account.projects.assign(droplet.urn, project, created_at)
