"""The reference fleet: five droplets, which `simulator.billing.reference_invoice` bills."""

from typing import Final

from simulator.fleet_builder import FleetDroplet, owner_tags

DROPLETS: Final = (
    FleetDroplet("acme-web-01", "s-1vcpu-1gb", "nyc3", "acme", owner_tags("acme", "site", "role:web"), 120),
    FleetDroplet("acme-web-02", "s-1vcpu-1gb", "nyc3", "acme", owner_tags("acme", "site", "role:web"), 120),
    FleetDroplet("acme-db-01", "s-2vcpu-4gb", "nyc3", "acme", owner_tags("acme", "site", "role:db"), 120),
    FleetDroplet("globex-app-01", "s-4vcpu-8gb", "fra1", "globex", owner_tags("globex", "erp"), 60),
    FleetDroplet("bastion-01", "s-1vcpu-1gb", "fra1", "arcadia", ("internal",), 200),
)
