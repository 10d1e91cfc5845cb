"""Databases, Kubernetes clusters, apps and droplets as they are mapped."""

from typing import Any

import msgspec
import pytest

from inventory.kinds.app import APP
from inventory.kinds.database import DATABASE
from inventory.kinds.droplet import DROPLET
from inventory.kinds.kubernetes_cluster import KUBERNETES_CLUSTER
from inventory.kinds.spec import KindSpec
from inventory.values import Observation
from tests.digitalocean.provider import droplet
from tests.inventory.kinds.mapped import MADE, MADE_AT, seen

CANARY = "canary-5107"
CLUSTER_ID = "bd5f5959-5e1e-4205-a714-a914373942af"
CONNECTION = {
    "uri": f"postgres://doadmin:{CANARY}@db.example:25060/defaultdb",
    "database": CANARY,
    "host": f"{CANARY}.example",
    "port": 25060,
    "user": CANARY,
    "password": CANARY,
    "ssl": True,
}
A_DATABASE = {
    "id": "9cc10173-e9ea-4176-9dbc-a4cee4c4ff30",
    "name": "crm-pg",
    "engine": "pg",
    "version": "16",
    "semantic_version": "16.4",
    "connection": CONNECTION,
    "private_connection": CONNECTION,
    "standby_connection": CONNECTION,
    "standby_private_connection": CONNECTION,
    "ui_connection": CONNECTION,
    "schema_registry_connection": CONNECTION,
    "users": [{"name": "doadmin", "role": "primary", "password": CANARY, "access_cert": CANARY,
               "access_key": CANARY}],
    "metrics_endpoints": [{"host": f"{CANARY}.example", "port": 9273}],
    "db_names": ["defaultdb"],
    "num_nodes": 2,
    "region": "fra1",
    "status": "online",
    "created_at": MADE,
    "maintenance_window": {"day": "saturday", "hour": "08:45:12", "pending": True, "description": ["soon"]},
    "size": "db-s-2vcpu-4gb",
    "tags": ["tenant:globex", "deployment:crm"],
    "private_network_uuid": "d455e75d-4858-4eec-8c95-da2f0a5f93a7",
    "storage_size_mib": 61440,
}  # fmt: skip
A_CLUSTER = {
    "id": CLUSTER_ID,
    "name": "prod",
    "region": "nyc1",
    "version": "1.31.1-do.0",
    "cluster_subnet": "10.244.0.0/16",
    "service_subnet": "10.245.0.0/16",
    "vpc_uuid": "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
    "ipv4": "203.0.113.3",
    "endpoint": f"https://{CLUSTER_ID}.k8s.ondigitalocean.com",
    "tags": ["k8s", f"k8s:{CLUSTER_ID}", "env:prod"],
    "node_pools": [
        {"id": "cdda885e", "name": "web", "size": "s-2vcpu-4gb", "count": 2, "tags": [],
         "labels": {"key": CANARY}, "taints": [], "auto_scale": True, "min_nodes": 1, "max_nodes": 3,
         "nodes": [
             {"id": "n1", "name": "web-1", "status": {"state": "running"}, "droplet_id": "205545371"},
             {"id": "n2", "name": "web-2", "status": {"state": "provisioning"}, "droplet_id": ""},
         ]},
        {"id": "aeda885e", "name": "db", "size": "g-2vcpu-8gb", "count": 1, "auto_scale": False,
         "min_nodes": 0, "max_nodes": 0, "nodes": [{"id": "n3", "droplet_id": "205545370"}]},
    ],
    "status": {"state": "degraded", "message": "a node is away"},
    "created_at": MADE,
    "updated_at": MADE,
    "ha": True,
    "auto_upgrade": False,
    "sso": {"enabled": True, "client_id": CANARY},
}  # fmt: skip
ENVS = [{"key": "TOKEN", "scope": "RUN_TIME", "type": "GENERAL", "value": CANARY}]
AN_APP = {
    "id": "4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf",
    "owner_uuid": "ff36cbc6",
    "spec": {
        "name": "landing",
        "envs": ENVS,
        "services": [{"name": "web", "git": {"repo_clone_url": f"https://user:{CANARY}@git.example/web.git"},
                      "envs": ENVS, "run_command": CANARY, "instance_size_slug": "apps-s-1vcpu-0.5gb",
                      "instance_count": 2,
                      "log_destinations": [{"name": "logs", "datadog": {"api_key": CANARY}}]}],
        "static_sites": [{"name": "docs", "envs": ENVS}],
        "jobs": [{"name": "migrate", "envs": ENVS, "instance_count": 1, "instance_size_slug": "basic-xxs"}],
        "databases": [{"name": "db", "engine": "PG", "db_user": CANARY}],
        "domains": [{"domain": "www.example.com", "type": "ALIAS"},
                    {"domain": "example.com", "type": "PRIMARY"}],
    },
    "default_ingress": "https://landing-iaj87.ondigitalocean.app",
    "created_at": MADE,
    "updated_at": MADE,
    "active_deployment": {"id": "3aa4d20e", "phase": "ACTIVE", "spec": {"name": "landing", "envs": ENVS}},
    "pending_deployment": {"id": "3aa4d20f", "phase": "BUILDING", "spec": {"name": "landing", "envs": ENVS}},
    "live_url": "https://example.com",
    "region": {"slug": "fra", "label": "Frankfurt"},
    "tier_slug": "basic",
}  # fmt: skip


def test_a_database_is_mapped() -> None:
    assert seen(DATABASE, A_DATABASE) == Observation(
        provider_id="9cc10173-e9ea-4176-9dbc-a4cee4c4ff30",
        urn="do:dbaas:9cc10173-e9ea-4176-9dbc-a4cee4c4ff30",
        name="crm-pg",
        region="fra1",
        status="online",
        sku="db-s-2vcpu-4gb x2",
        tags=["deployment:crm", "tenant:globex"],
        attrs={
            "engine": "pg",
            "version": "16",
            "size_slug": "db-s-2vcpu-4gb",
            "num_nodes": 2,
            "storage_mib": 61440,
            "vpc_uuid": "d455e75d-4858-4eec-8c95-da2f0a5f93a7",
            "maintenance_window": {"day": "saturday", "hour": "08:45:12"},
        },
        created_at=MADE_AT,
        active=True,
    )


def test_a_database_that_is_being_made_does_not_run() -> None:
    found = seen(DATABASE, {**A_DATABASE, "status": "creating", "tags": None, "maintenance_window": None})
    assert (found.active, found.tags, found.attrs["maintenance_window"]) == (False, [], None)


def test_a_cluster_is_mapped() -> None:
    assert seen(KUBERNETES_CLUSTER, A_CLUSTER) == Observation(
        provider_id=CLUSTER_ID,
        urn=f"do:kubernetes:{CLUSTER_ID}",
        name="prod",
        region="nyc1",
        status="degraded",
        tags=["env:prod", "k8s", f"k8s:{CLUSTER_ID}"],
        attrs={
            "version": "1.31.1-do.0",
            "ha": True,
            "auto_upgrade": False,
            "vpc_uuid": "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
            "cluster_subnet": "10.244.0.0/16",
            "service_subnet": "10.245.0.0/16",
            "ipv4": "203.0.113.3",
            "endpoint": f"https://{CLUSTER_ID}.k8s.ondigitalocean.com",
            "node_pools": [
                {"id": "aeda885e", "name": "db", "size_slug": "g-2vcpu-8gb", "count": 1, "auto_scale": False,
                 "min_nodes": 0, "max_nodes": 0},
                {"id": "cdda885e", "name": "web", "size_slug": "s-2vcpu-4gb", "count": 2, "auto_scale": True,
                 "min_nodes": 1, "max_nodes": 3},
            ],
            "droplet_ids": ["205545370", "205545371"],
        },
        created_at=MADE_AT,
        active=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "runs"), [("running", True), ("upgrading", True), ("provisioning", False), ("error", False)]
)
def test_a_cluster_runs_or_not(state: str, runs: bool) -> None:
    assert seen(KUBERNETES_CLUSTER, {**A_CLUSTER, "status": {"state": state}}).active is runs


@pytest.mark.parametrize("droplet_id", [" ", "", None])
def test_a_worker_whose_droplet_is_not_there_yet_is_none(droplet_id: str | None) -> None:
    pool = {"id": "p", "name": "p", "size": "s-1vcpu-2gb", "count": 2,
            "nodes": [{"droplet_id": droplet_id}, {"droplet_id": "3576878"}]}  # fmt: skip
    assert seen(KUBERNETES_CLUSTER, {**A_CLUSTER, "node_pools": [pool]}).attrs["droplet_ids"] == ["3576878"]
    for pools in (None, [{**pool, "nodes": None}]):
        assert seen(KUBERNETES_CLUSTER, {**A_CLUSTER, "node_pools": pools}).attrs["droplet_ids"] == []


def test_a_worker_droplet_tells_its_cluster() -> None:
    worker = seen(DROPLET, droplet(1, tags=["k8s", "k8s:worker", f"k8s:{CLUSTER_ID}"]))
    assert worker.attrs["cluster_id"] == CLUSTER_ID
    assert "cluster_id" not in seen(DROPLET, droplet(1, tags=["k8s:worker", "k8s"])).attrs


def test_an_app_is_mapped() -> None:
    assert seen(APP, AN_APP) == Observation(
        provider_id="4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf",
        urn="do:app:4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf",
        name="landing",
        region="fra",
        status="active",
        attrs={
            "tier_slug": "basic",
            "default_ingress": "https://landing-iaj87.ondigitalocean.app",
            "live_url": "https://example.com",
            "domains": ["example.com", "www.example.com"],
            "components": [
                {"type": "job", "name": "migrate", "size_slug": "basic-xxs", "count": 1},
                {"type": "service", "name": "web", "size_slug": "apps-s-1vcpu-0.5gb", "count": 2},
                {"type": "static_site", "name": "docs", "size_slug": "", "count": None},
            ],
        },
        created_at=MADE_AT,
        active=True,
    )


def test_an_app_that_was_never_deployed_does_not_run() -> None:
    found = seen(APP, {**AN_APP, "active_deployment": None, "created_at": "0001-01-01T00:00:00Z"})
    assert (found.status, found.active, found.created_at) == ("", False, None)


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        (DATABASE, A_DATABASE),
        (KUBERNETES_CLUSTER, A_CLUSTER),
        (APP, AN_APP),
        (DROPLET, droplet(1, user_data=CANARY, kernel={"name": CANARY})),
    ],
    ids=lambda given: given.kind if isinstance(given, KindSpec) else "",
)
def test_secrets_are_never_read(entry: KindSpec, answer: dict[str, Any]) -> None:
    assert CANARY.encode() in msgspec.json.encode(answer)
    (listing, *_) = entry.listings
    record = msgspec.json.decode(msgspec.json.encode(answer), type=listing.record)
    assert CANARY not in repr(record)
    assert CANARY.encode() not in msgspec.json.encode(seen(entry, answer))
