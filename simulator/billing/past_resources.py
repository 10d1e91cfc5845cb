"""Resources that an account had long ago, and Spaces, which it has had from their beginning."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Final

from simulator.billing.rating import BillableResource, midnight

FIRST_MONTH: Final = date(2014, 12, 1)
_FIRST_DAY: Final = date(2014, 12, 3)
_SPACES_SINCE: Final = date(2017, 9, 18)
_NEW_SIZES_SINCE: Final = date(2018, 1, 16)
_DROPLETS: Final = 70
_SPREAD_DAYS: Final = 3500  # from the first droplet's creation to about the last one's
_ROLES: Final = ("web", "api", "db", "mail", "batch")
_OLD_SIZES: Final = (("512mb", 500), ("1gb", 1000), ("2gb", 2000), ("4gb", 4000))
_SIZES: Final = (("s-1vcpu-1gb", 500), ("s-1vcpu-2gb", 1000), ("s-2vcpu-2gb", 1500), ("s-2vcpu-4gb", 2000))
_FIRST_ID: Final = 3_400_000


def _at(day: date, hour: int = 9, minute: int = 39) -> datetime:
    return midnight(day) + timedelta(hours=hour, minutes=minute)


def make_past_resources(seed: int, team: str) -> list[BillableResource]:
    """Return the past resources of a team, the same for a seed; none has the name of a fleet's droplet."""
    rng = random.Random(f"{seed}/{team}/past")
    droplets = [_make_droplet(rng, number) for number in range(_DROPLETS)]
    return [*_KNOWN_RESOURCES, *droplets, _SPACES]


def _make_droplet(rng: random.Random, number: int) -> BillableResource:
    """Return the past droplet of that number; names repeat, now and then at the same time."""
    began = _FIRST_DAY + timedelta(days=number * _SPREAD_DAYS // _DROPLETS + rng.randrange(40))
    lasted = rng.choice((1, 9, 45, 200, 500, 900))
    size, cents = rng.choice(_SIZES if began >= _NEW_SIZES_SINCE else _OLD_SIZES)
    started_at = _at(began, rng.randrange(24), rng.randrange(60))
    return BillableResource(
        "Droplets",
        f"old-{rng.choice(_ROLES)}-{number % 9:02} ({size})",
        cents,
        started_at,
        started_at + timedelta(days=lasted, seconds=rng.randrange(86400)),
        project=rng.choice(("", "legacy")),
        resource_id=str(_FIRST_ID + number * 1999),
    )


# Cases that matching must survive: a size renamed, commas and quotes, "tax" in a name, brackets, no id.
_KNOWN_RESOURCES: Final = (
    BillableResource(
        "Droplets", "first (512mb)", 500, _at(_FIRST_DAY), _at(date(2018, 1, 20)), resource_id="3399001",
    ),
    BillableResource(
        "Droplets", "first (s-1vcpu-1gb)", 500, _at(date(2018, 1, 20)), _at(date(2025, 3, 14)),
        project="legacy", resource_id="3399001",
    ),
    BillableResource(
        "Droplets", "api, blue (s-1vcpu-1gb)", 500, _at(date(2019, 2, 3)), _at(date(2023, 8, 9)),
        project='the "new" one', resource_id="3399002",
    ),
    BillableResource(
        "Droplets", "tax-api (s-1vcpu-2gb)", 1000, _at(date(2020, 5, 6)), _at(date(2022, 4, 1)),
        project="legacy", resource_id="3399003",
    ),
    BillableResource(
        "Volumes", "mail-store (nyc1) 100GB", 1000, _at(date(2016, 8, 2)), _at(date(2021, 6, 30)),
        project="legacy", resource_uuid="1f0e7c62-0c4d-5d0c-9a51-6f3f3f1c2a01",
    ),
    BillableResource(
        "Load Balancers", "edge (old) (lb-small)", 1000, _at(date(2017, 3, 1)), _at(date(2022, 10, 5)),
        project="legacy", resource_uuid="1f0e7c62-0c4d-5d0c-9a51-6f3f3f1c2a02",
    ),
    BillableResource(
        "Kubernetes Clusters", "3 nodes - 4 GB / 2 vCPU / 80 GB SSD", 6000, _at(date(2019, 7, 1)),
        _at(date(2021, 2, 11)), group="trial", project="legacy",
        resource_uuid="1f0e7c62-0c4d-5d0c-9a51-6f3f3f1c2a03",
    ),
    BillableResource(
        "Floating IPs", "Unused Floating IP - 203.0.113.201", 400, _at(date(2018, 5, 4)),
        _at(date(2018, 9, 1)),
    ),
    BillableResource(
        "Bandwidth", "Droplet transfer overage 37 GiB", 37, _at(date(2024, 4, 2)), _at(date(2024, 4, 30)),
    ),
)  # fmt: skip
_SPACES: Final = BillableResource(
    "Spaces Subscription",
    "Spaces ($5/mo 250GB storage & 1TB bandwidth)",
    500,
    datetime.combine(_SPACES_SINCE, datetime.min.time(), UTC),
)
