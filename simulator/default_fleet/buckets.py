"""Spaces buckets of the default fleet; `simulator.spaces` serves their objects."""

from dataclasses import dataclass
from typing import Final

from simulator.fleet_builder import FleetBuilder


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of equal objects, created so many days before the fleet's newest time."""

    name: str
    region: str
    project: str
    objects: int
    object_bytes: int
    age_days: int


BUCKETS: Final = (
    Bucket("acme-shop-media", "nyc3", "acme", 1_200, 96_000_000, 88),
    Bucket("acme-wiki-backups", "nyc3", "acme", 60, 310_000_000, 203),
    Bucket("globex-crm-exports", "fra1", "globex", 450, 625_000_000, 288),
    Bucket("initech-reports", "sfo3", "initech", 365, 18_500_000, 150),
    Bucket("arcadia-logs", "ams3", "arcadia", 400, 116_800_000, 400),
    Bucket("old-uploads", "ams3", "arcadia", 0, 0, 480),
)


def make_synthetic_bucket(number: int) -> Bucket:
    """Return the bucket of that number of `--buckets N`."""
    return Bucket(f"load-{number:06}", ("nyc3", "fra1", "ams3")[number % 3], "", 3, 1_000_000, number % 700)


def add_buckets(builder: FleetBuilder) -> None:
    """Assign the buckets to their projects, the only place of DigitalOcean's API that lists them."""
    for bucket in BUCKETS:
        project = builder.account.projects.find_by_name(bucket.project)
        if project is not None:
            builder.account.projects.assign(
                f"do:space:{bucket.name}", project, builder.time_at_age(bucket.age_days)
            )
