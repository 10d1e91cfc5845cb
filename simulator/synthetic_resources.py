"""Many of a kind, to see how what reads them bears it: `--volumes N`, `--snapshots N` and so on.

They are the same for every seed, named by their number, spread over regions and a hundred tenants, and stand
in the default project where a project can have them. Droplets alone are computed as they are asked for (see
`simulator.synthetic_droplets`); these are stored, a kilobyte or two each. A new kind is a function here and
a line in `LOADS`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.default_fleet import network, platforms, storage
from simulator.default_fleet.buckets import bucket_of_load
from simulator.fleet_builder import Estate, owner_tags
from simulator.private_images import bring, take
from simulator.synthetic_droplets import MOST

_HOME: Final = "arcadia"  # every fleet's default project
_REGIONS: Final = ("nyc3", "fra1", "ams3", "sfo3", "sgp1", "lon1", "tor1", "blr1", "syd1")
_TENANTS: Final = 100
_NETWORKS: Final = 100

Place = Callable[[Estate, int], None]


def burden(estate: Estate, load: Mapping[str, int]) -> None:
    """Put so many of each kind into the account, beside what its fleet has."""
    for kind, count in load.items():
        for number in range(count):
            LOADS[kind](estate, number)


def check_load(load: Mapping[str, int]) -> None:
    """Raise ValueError for a kind that isn't there to be had many of, or for too many."""
    for kind, count in load.items():
        if kind not in LOADS:
            raise ValueError(f"a load is of {', '.join(LOADS)}, not of {kind!r}")
        if not 0 <= count <= MOST:
            raise ValueError(f"between 0 and {MOST} {kind.replace('_', ' ')}, not {count}")


def _name(number: int) -> str:
    return f"load-{number:06}"


def _region(number: int) -> str:
    return _REGIONS[number % len(_REGIONS)]


def _tags(number: int) -> tuple[str, ...]:
    return owner_tags(f"bulk-{number % _TENANTS:02}", "", "load")


def _ip(number: int) -> str:
    """One of the network for measurements (RFC 2544), which has some 130,000."""
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _volume(estate: Estate, number: int) -> None:
    storage.volume(estate, _name(number), 10 + number % 90, _region(number), _HOME, _tags(number))


def _snapshot(estate: Estate, number: int) -> None:
    """Of the volume of the same number, where there is one."""
    name, size = _name(number), 1.5 + number % 60
    storage.volume_snapshot(estate, name, name, size, _region(number), _tags(number))


def _image(estate: Estate, number: int) -> None:
    made, tags = estate.at(number % 700), _tags(number)
    bring(estate.account, _name(number), made, regions=[_region(number)], size=2.5, tags=tags)


def _backup(estate: Estate, number: int) -> None:
    """Of one droplet after the other, from the oldest on."""
    droplets = estate.account.droplets
    droplet = droplets.edit(droplets.at(number % len(droplets))) if len(droplets) else None
    if droplet is None:
        raise ValueError("backups need droplets to be taken of")
    take(estate.account, droplet, "backup", f"{droplet.name} {_name(number)}", estate.at(number % 28))


def _domain(estate: Estate, number: int) -> None:
    lines = (("A", "@", _ip(number)), ("CNAME", "www", "@"))
    network.zone(estate, f"{_name(number)}.example", _HOME, lines)


def _reserved_ip(estate: Estate, number: int) -> None:
    network.reserved_ip(estate, _ip(number), _region(number), _HOME, "")


def _load_balancer(estate: Estate, number: int) -> None:
    tag = _tags(number)[0]
    network.balancer(estate, _name(number), _ip(number), _region(number), _HOME, "", tag=tag)


def _database(estate: Estate, number: int) -> None:
    platforms.database(estate, _name(number), "pg", "16", _region(number), _HOME, _tags(number))


def _cluster(estate: Estate, number: int) -> None:
    platforms.cluster(estate, _name(number), _region(number), _HOME, _tags(number))


def _firewall(estate: Estate, number: int) -> None:
    network.firewall(estate, _name(number), tags=_tags(number))


def _vpc(estate: Estate, number: int) -> None:
    name = _name(number)
    network.vpc(estate, estate.id_of("vpc", name), name, _region(number), number % _NETWORKS, default=False)


def _certificate(estate: Estate, number: int) -> None:
    network.certificate(estate, _name(number), [f"{_name(number)}.example"])


def _cdn_endpoint(estate: Estate, number: int) -> None:
    network.cdn_endpoint(estate, _name(number), _region(number))


def _app(estate: Estate, number: int) -> None:
    name = _name(number)
    platforms.app(estate, name, _region(number)[:3], _HOME, f"{name}.example")


def _bucket(estate: Estate, number: int) -> None:
    """Only that its project has it: `simulator.spaces` serves it, and takes the same option."""
    account, bucket = estate.account, bucket_of_load(number)
    account.projects.assign(f"do:space:{bucket.name}", account.projects.default, estate.at(bucket.age_days))


LOADS: Final[Mapping[str, Place]] = {
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
