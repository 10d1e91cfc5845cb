"""What the default fleet has besides its droplets, the same for every seed.

Some of it only a tag gives to its tenant, some only a project, some a droplet that it hangs on; a few things
nobody owns, as it happens: a volume without a droplet, an address that nothing answers on.
"""

from simulator.default_fleet import buckets, network, platforms, storage
from simulator.fleet_builder import FleetBuilder


def add_default_fleet(builder: FleetBuilder) -> None:
    """Add it to an account that has the default fleet's droplets."""
    platforms.add_platforms(builder)
    storage.add_storage(builder)
    network.add_network(builder)
    buckets.add_buckets(builder)
