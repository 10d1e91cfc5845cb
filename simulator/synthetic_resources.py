"""Many of a kind, to see how what reads them bears it: `--volumes N`, `--snapshots N` and so on.

They are the same for every seed, named by their number, spread over regions and a hundred tenants, and stand
in the default project where a project can have them. Droplets alone are computed as they are asked for (see
`simulator.synthetic_droplets`); these are stored, a kilobyte or two each. A new kind is a function here and
a line in `LOADS`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.default_fleet import network, platforms, storage
from simulator.default_fleet.buckets import make_synthetic_bucket
from simulator.fleet_builder import FleetBuilder, owner_tags
from simulator.private_images import create_custom_image, create_droplet_image
from simulator.synthetic_droplets import MAX_COUNT

_HOME: Final = "arcadia"  # every fleet's default project
_REGIONS: Final = ("nyc3", "fra1", "ams3", "sfo3", "sgp1", "lon1", "tor1", "blr1", "syd1")
_TENANTS: Final = 100
_NETWORKS: Final = 100

AddResource = Callable[[FleetBuilder, int], None]


def add_synthetic_resources(builder: FleetBuilder, load: Mapping[str, int]) -> None:
    """Put so many of each kind into the account, beside what its fleet has."""
    for kind, count in load.items():
        for number in range(count):
            LOADS[kind](builder, number)


def validate_load(load: Mapping[str, int]) -> None:
    """Raise ValueError for a kind that isn't there to be had many of, or for too many."""
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
    """One of the network for measurements (RFC 2544), which has some 130,000."""
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _volume(builder: FleetBuilder, number: int) -> None:
    storage.add_volume(builder, _name(number), 10 + number % 90, _region(number), _HOME, _tags(number))


def _snapshot(builder: FleetBuilder, number: int) -> None:
    """Of the volume of the same number, where there is one."""
    name, size = _name(number), 1.5 + number % 60
    storage.add_volume_snapshot(builder, name, name, size, _region(number), _tags(number))


def _image(builder: FleetBuilder, number: int) -> None:
    made, tags = builder.time_at_age(number % 700), _tags(number)
    create_custom_image(builder.account, _name(number), made, regions=[_region(number)], size=2.5, tags=tags)


def _backup(builder: FleetBuilder, number: int) -> None:
    """Of one droplet after the other, from the oldest on."""
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


def _domain(builder: FleetBuilder, number: int) -> None:
    lines = (("A", "@", _ip(number)), ("CNAME", "www", "@"))
    network.add_zone(builder, f"{_name(number)}.example", _HOME, lines)


def _reserved_ip(builder: FleetBuilder, number: int) -> None:
    network.add_reserved_ip(builder, _ip(number), _region(number), _HOME, "")


def _load_balancer(builder: FleetBuilder, number: int) -> None:
    tag = _tags(number)[0]
    network.add_load_balancer(builder, _name(number), _ip(number), _region(number), _HOME, "", tag=tag)


def _database(builder: FleetBuilder, number: int) -> None:
    platforms.add_database(builder, _name(number), "pg", "16", _region(number), _HOME, _tags(number))


def _cluster(builder: FleetBuilder, number: int) -> None:
    platforms.add_cluster(builder, _name(number), _region(number), _HOME, _tags(number))


def _firewall(builder: FleetBuilder, number: int) -> None:
    network.add_firewall(builder, _name(number), tags=_tags(number))


def _vpc(builder: FleetBuilder, number: int) -> None:
    name = _name(number)
    network.add_vpc(
        builder, builder.uuid_for("vpc", name), name, _region(number), number % _NETWORKS, default=False
    )


def _certificate(builder: FleetBuilder, number: int) -> None:
    network.add_certificate(builder, _name(number), [f"{_name(number)}.example"])


def _cdn_endpoint(builder: FleetBuilder, number: int) -> None:
    network.add_cdn_endpoint(builder, _name(number), _region(number))


def _app(builder: FleetBuilder, number: int) -> None:
    name = _name(number)
    platforms.add_app(builder, name, _region(number)[:3], _HOME, f"{name}.example")


def _bucket(builder: FleetBuilder, number: int) -> None:
    """Only that its project has it: `simulator.spaces` serves it, and takes the same option."""
    account, bucket = builder.account, make_synthetic_bucket(number)
    account.projects.assign(
        f"do:space:{bucket.name}", account.projects.default, builder.time_at_age(bucket.age_days)
    )


LOADS: Final[Mapping[str, AddResource]] = {
    "volumes": _volume,
    "snapshots": _snapshot,
    "images": _image,
    "backups": _backup,
    "domains": _domain,
    "reserved_ips": _reserved_ip,
    "load_balancers": _load_balancer,
    "databases": _database,
    "clusters": _cluster,
    "firewalls": _firewall,
    "vpcs": _vpc,
    "certificates": _certificate,
    "cdn_endpoints": _cdn_endpoint,
    "apps": _app,
    "buckets": _bucket,
}
