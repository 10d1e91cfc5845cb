"""The default fleet: its droplets, and fifty resources of all other kinds, the same for every seed.

The owner of some follows from a tag alone, of some from a project alone, of some from the droplet that they
are attached to; a few have none: a volume without a droplet, an address that is assigned to nothing.
"""

from simulator.default_fleet import buckets, network, platforms, storage
from simulator.fleet_builder import FleetBuilder


def add_other_resources(builder: FleetBuilder) -> None:
    """Add all but the droplets, which the account must have already."""
    # The cluster first: its workers are droplets, to one of which a volume is attached.
    platforms.add_platforms(builder)
    storage.add_storage(builder)
    network.add_network(builder)
    buckets.add_buckets(builder)
