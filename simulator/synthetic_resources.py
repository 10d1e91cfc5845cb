"""Synthetic resources for load tests: `--volumes N`, `--snapshots N` and so on.

They are the same for every seed, named by their number, spread over regions and a hundred tenants, and in the
default project if they can be in one. Only droplets are computed on request (see
`simulator.synthetic_droplets`); these are stored, a kilobyte or two each. A new kind is a line in
`LOADS`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.default_fleet import network, platforms, storage
from simulator.default_fleet.buckets import make_synthetic_bucket
from simulator.fleet_builder import FleetBuilder, owner_tags
from simulator.private_images import create_custom_image, create_droplet_image
from simulator.synthetic_droplets import MAX_COUNT

_PROJECT: Final = "arcadia"  # every fleet's default one
_REGIONS: Final = ("nyc3", "fra1", "ams3", "sfo3", "sgp1", "lon1", "tor1", "blr1", "syd1")
_TENANTS: Final = 100
_NETWORKS: Final = 100

AddResource = Callable[[FleetBuilder, int], object]


def add_synthetic_resources(builder: FleetBuilder, load: Mapping[str, int]) -> None:
    """Add so many of each kind to the account, besides its fleet."""
    for kind, count in load.items():
        for number in range(count):
            LOADS[kind](builder, number)


def validate_load(load: Mapping[str, int]) -> None:
    """Raise ValueError on an unknown kind or too many of one."""
    for kind, count in load.items():
        if kind not in LOADS:
            raise ValueError(f"a load is of {', '.join(LOADS)}, not of {kind!r}")
        if not 0 <= count <= MAX_COUNT:
            raise ValueError(f"between 0 and {MAX_COUNT} {kind.replace('_', ' ')}, not {count}")


def _name(number: int) -> str:
    return f"load-{number:06}"


def _region(number: int) -> str:
    return _REGIONS[number % len(_REGIONS)]


def _tags(number: int) -> tuple[str, ...]:
    return owner_tags(f"bulk-{number % _TENANTS:02}", "", "load")


def _ip(number: int) -> str:
    """Return an address of RFC 2544's network for benchmarks, which has some 130,000."""
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _add_backup(builder: FleetBuilder, number: int) -> None:
    """Add a backup of one droplet after the other, from the first on. Raises ValueError without droplets."""
    droplets = builder.account.droplets
    droplet = droplets.get_for_update(droplets.id_at(number % len(droplets))) if len(droplets) else None
    if droplet is None:
        raise ValueError("backups need droplets to be taken of")
    create_droplet_image(
        builder.account,
        droplet,
        "backup",
        f"{droplet.name} {_name(number)}",
        builder.time_at_age(number % 28),
    )


def _add_bucket(builder: FleetBuilder, number: int) -> None:
    """Assign the bucket to its project; `simulator.spaces` takes the same option and serves it."""
    account, bucket = builder.account, make_synthetic_bucket(number)
    account.projects.assign(
        f"do:space:{bucket.name}", account.projects.default, builder.time_at_age(bucket.age_days)
    )


LOADS: Final[Mapping[str, AddResource]] = {
    "volumes": lambda builder, number: storage.add_volume(
        builder, _name(number), 10 + number % 90, _region(number), _PROJECT, _tags(number)
    ),
    "snapshots": lambda builder, number: (
        storage.add_volume_snapshot(  # of the volume of that number, if there is one
            builder, _name(number), _name(number), 1.5 + number % 60, _region(number), _tags(number)
        )
    ),
    "images": lambda builder, number: create_custom_image(
        builder.account,
        _name(number),
        builder.time_at_age(number % 700),
        regions=[_region(number)],
        size=2.5,
        tags=_tags(number),
    ),
    "backups": _add_backup,
    "domains": lambda builder, number: network.add_zone(
        builder, f"{_name(number)}.example", _PROJECT, (("A", "@", _ip(number)), ("CNAME", "www", "@"))
    ),
    "reserved_ips": lambda builder, number: network.add_reserved_ip(
        builder, _ip(number), _region(number), _PROJECT, ""
    ),
    "load_balancers": lambda builder, number: network.add_load_balancer(
        builder, _name(number), _ip(number), _region(number), _PROJECT, "", tag=_tags(number)[0]
    ),
    "databases": lambda builder, number: platforms.add_database(
        builder, _name(number), "pg", "16", _region(number), _PROJECT, _tags(number)
    ),
    "clusters": lambda builder, number: platforms.add_cluster(
        builder, _name(number), _region(number), _PROJECT, _tags(number)
    ),
    "firewalls": lambda builder, number: network.add_firewall(builder, _name(number), tags=_tags(number)),
    "vpcs": lambda builder, number: network.add_vpc(
        builder,
        builder.uuid_for("vpc", _name(number)),
        _name(number),
        _region(number),
        number % _NETWORKS,
        default=False,
    ),
    "certificates": lambda builder, number: network.add_certificate(
        builder, _name(number), [f"{_name(number)}.example"]
    ),
    "cdn_endpoints": lambda builder, number: network.add_cdn_endpoint(
        builder, _name(number), _region(number)
    ),
    "apps": lambda builder, number: platforms.add_app(
        builder, _name(number), _region(number)[:3], _PROJECT, f"{_name(number)}.example"
    ),
    "buckets": _add_bucket,
}
