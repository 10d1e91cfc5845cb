"""Platforms of the default fleet: databases, a Kubernetes cluster with its workers, apps.

They have passwords, as DigitalOcean's do. All are `SECRET`, so that a client that stores one is found out.
"""

from collections.abc import Sequence
from typing import Final

from simulator.catalog import IMAGE_IDS, Json
from simulator.droplet import Droplet, default_vpc
from simulator.endpoints.apps import APPS
from simulator.endpoints.databases import DATABASES
from simulator.endpoints.kubernetes import CLUSTERS
from simulator.fleet_builder import FleetBuilder, owner_tags

SECRET: Final = "AVNS_simulated-secret"  # noqa: S105 - invented, and meant to be looked for
_FIRST_WORKER: Final = 480_100_000
_WORKER_ADDRESS: Final = 130_900  # between the created droplets' and the fleet's


def add_platforms(builder: FleetBuilder) -> None:
    workers = ("reports-pool-x4k2a", "reports-pool-x4k2b")
    add_cluster(builder, "reports", "sfo3", "initech", owner_tags("initech", "reports"), workers)
    add_database(builder, "crm-pg", "pg", "16", "fra1", "globex", owner_tags("globex", "crm"))
    add_database(builder, "shop-cache", "valkey", "8", "nyc3", "acme", owner_tags("acme", "shop"))
    add_app(builder, "acme-landing", "nyc", "acme", "www.acme-shop.example")
    add_app(builder, "initech-forms", "lon", "initech", "forms.initech-reports.example")


def _connection(engine: str, host: str) -> Json:
    return {
        "uri": f"{engine}://doadmin:{SECRET}@{host}:25060/defaultdb?sslmode=require",
        "database": "defaultdb",
        "host": host,
        "port": 25060,
        "user": "doadmin",
        "password": SECRET,
        "ssl": True,
    }


def add_database(
    builder: FleetBuilder,
    name: str,
    engine: str,
    version: str,
    region: str,
    project: str,
    tags: Sequence[str],
) -> None:
    host = f"{name}-do-user-258992-0.db.ondigitalocean.com"
    body: Json = {
        "id": builder.uuid_for("database", name),
        "name": name,
        "engine": engine,
        "version": version,
        "semantic_version": f"{version}.4",
        "connection": _connection(engine, host),
        "private_connection": _connection(engine, f"private-{host}"),
        "users": [{"name": "doadmin", "role": "primary", "password": SECRET}],
        "db_names": ["defaultdb"],
        "num_nodes": 2 if engine == "pg" else 1,
        "region": region,
        "status": "online",
        "created_at": builder.timestamp_at_age(280),
        "maintenance_window": {"day": "saturday", "hour": "08:45:12", "pending": False, "description": []},
        "size": "db-s-2vcpu-4gb" if engine == "pg" else "db-s-1vcpu-1gb",
        "tags": tags,
        "private_network_uuid": default_vpc(builder.account.team, region),
        "storage_size_mib": 61440 if engine == "pg" else 10240,
    }
    DATABASES.add(builder.account, body, project=project)


def add_cluster(
    builder: FleetBuilder,
    name: str,
    region: str,
    project: str,
    own_tags: Sequence[str],
    workers: tuple[str, ...] = (),
) -> None:
    account, key = builder.account, builder.uuid_for("kubernetes_cluster", name)
    tags = account.register_tags(["k8s", f"k8s:{key}", "k8s:worker"])
    nodes = [
        _add_worker(builder, worker, region, project, tags, number) for number, worker in enumerate(workers)
    ]
    body: Json = {
        "id": key,
        "name": name,
        "region": region,
        "version": "1.33.1-do.3",
        "cluster_subnet": "10.244.0.0/16",
        "service_subnet": "10.245.0.0/16",
        "vpc_uuid": default_vpc(account.team, region),
        "ipv4": "203.0.113.40",
        "endpoint": f"https://{key}.k8s.ondigitalocean.com",
        "tags": [*tags[:2], *account.register_tags(own_tags)],
        "node_pools": [
            {
                "id": builder.uuid_for("node_pool", name),
                "name": f"{name}-pool",
                "size": "s-2vcpu-4gb",
                "count": len(nodes),
                "tags": tags,
                "labels": {},
                "taints": [],
                "auto_scale": False,
                "min_nodes": 0,
                "max_nodes": 0,
                "nodes": nodes,
            }
        ],
        "maintenance_policy": {"start_time": "00:00", "duration": "4h0m0s", "day": "any"},
        "auto_upgrade": False,
        "surge_upgrade": True,
        "ha": False,
        "registry_enabled": True,
        "status": {"state": "running", "message": ""},
        "created_at": builder.timestamp_at_age(110),
        "updated_at": builder.timestamp_at_age(3),
    }
    CLUSTERS.add(account, body, project=project)


def _add_worker(
    builder: FleetBuilder, name: str, region: str, project: str, tags: Sequence[str], number: int
) -> Json:
    """Add the droplet that is a node of the cluster; returns the node."""
    account = builder.account
    droplet = Droplet(
        id=_FIRST_WORKER + number,
        name=name,
        size="s-2vcpu-4gb",
        region=region,
        image=IMAGE_IDS["debian-12-x64"],
        created_at=builder.time_at_age(110),
        address=_WORKER_ADDRESS - number,
        tags=list(tags),
        vpc_uuid=default_vpc(account.team, region),
    )
    account.droplets.add(droplet)
    found = account.projects.find_by_name(project)
    if found is not None:
        account.projects.assign(droplet.urn, found, droplet.created_at)
    return {
        "id": builder.uuid_for("node", name),
        "name": name,
        "status": {"state": "running"},
        "droplet_id": str(droplet.id),
        "created_at": builder.timestamp_at_age(110),
        "updated_at": builder.timestamp_at_age(110),
    }


def add_app(builder: FleetBuilder, name: str, region: str, project: str, domain: str) -> None:
    envs = [{"key": "API_TOKEN", "scope": "RUN_TIME", "type": "SECRET", "value": SECRET}]
    spec: Json = {
        "name": name,
        "region": region,
        "domains": [{"domain": domain, "type": "PRIMARY"}],
        "services": [
            {
                "name": "web",
                "git": {"repo_clone_url": f"https://ci:{SECRET}@git.example/{name}.git", "branch": "main"},
                "envs": envs,
                "instance_size_slug": "apps-s-1vcpu-1gb",
                "instance_count": 1,
                "http_port": 8080,
            }
        ],
    }
    deployed = {
        "id": builder.uuid_for("deployment", name),
        "spec": spec,
        "phase": "ACTIVE",
        "cause": "app spec updated",
        "tier_slug": "basic",
        "created_at": builder.timestamp_at_age(9),
        "updated_at": builder.timestamp_at_age(9),
        "phase_last_updated_at": builder.timestamp_at_age(9),
    }
    body: Json = {
        "id": builder.uuid_for("app", name),
        "owner_uuid": builder.account.owner_uuid,
        "spec": spec,
        "default_ingress": f"https://{name}-iaj87.ondigitalocean.app",
        "created_at": builder.timestamp_at_age(130),
        "updated_at": builder.timestamp_at_age(9),
        "active_deployment": deployed,
        "last_deployment_created_at": builder.timestamp_at_age(9),
        "live_url": f"https://{domain}",
        "live_domain": domain,
        "region": {
            "slug": region,
            "label": region.upper(),
            "continent": "Earth",
            "data_centers": [f"{region}1"],
        },
        "tier_slug": "basic",
    }
    APPS.add(builder.account, body, project=project)
