"""The droplets of the default fleet: three tenants', an operator's, a test droplet, one with a GPU."""

from typing import Final

from simulator.fleet_builder import FleetDroplet, owner_tags

DROPLETS: Final = (
    FleetDroplet(
        "shop-web-01",
        "s-2vcpu-4gb",
        "nyc3",
        "acme",
        owner_tags("acme", "shop", "role:web"),
        412,
        ipv6=True,
    ),
    FleetDroplet(
        "shop-web-02",
        "s-2vcpu-4gb",
        "nyc3",
        "acme",
        owner_tags("acme", "shop", "role:web"),
        97,
        ipv6=True,
    ),
    FleetDroplet(
        "shop-db-01",
        "m-2vcpu-16gb",
        "nyc3",
        "acme",
        owner_tags("acme", "shop", "role:db"),
        412,
        backups=True,
    ),
    FleetDroplet("wiki-01", "s-1vcpu-2gb", "atl1", "acme", owner_tags("acme", "wiki"), 203, "debian-12-x64"),
    FleetDroplet("crm-app-01", "g-2vcpu-8gb", "fra1", "globex", owner_tags("globex", "crm", "role:app"), 288),
    FleetDroplet(
        "crm-worker-01", "s-4vcpu-8gb", "fra1", "globex", owner_tags("globex", "crm", "role:worker"), 288
    ),
    FleetDroplet(
        "crm-db-01",
        "s-8vcpu-16gb",
        "fra1",
        "globex",
        owner_tags("globex", "crm", "role:db"),
        288,
        backups=True,
    ),
    FleetDroplet("sandbox-01", "s-1vcpu-1gb", "ams3", "globex", (), 31, "ubuntu-22-04-x64"),
    FleetDroplet(
        "reports-01", "c-2", "sfo3", "initech", owner_tags("initech", "reports"), 150, "rockylinux-9-x64"
    ),
    FleetDroplet(
        "legacy-files",
        "s-2vcpu-2gb",
        "lon1",
        "initech",
        owner_tags("initech"),
        486,
        "debian-11-x64",
        "off",
    ),
    FleetDroplet("bastion-01", "s-1vcpu-512mb-10gb", "nyc3", "arcadia", ("internal", "role:bastion"), 486),
    FleetDroplet("test-delete-me", "s-1vcpu-1gb-amd", "sgp1", "arcadia", (), 12),
    FleetDroplet(
        "assist-gpu-01",
        "gpu-h100x1-80gb",
        "tor1",
        "acme",
        owner_tags("acme", "assist"),
        64,
        "gpu-h100x1-base",
    ),
)
