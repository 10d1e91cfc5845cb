"""`revert_drift`: each field that DigitalOcean can put back, there, back again, and under its faults."""

import json
from typing import Any

import pytest

from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import Kind, RunMode
from provisioning.models import SagaRun
from provisioning.reversals import REVERSALS
from provisioning.services import record_provisioned
from provisioning.steps.revert.writers import WRITERS
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import SHOP_WEB, ZONE, Cloud
from tests.provisioning.workflows.conftest import FailAfter

RIGHT_RECORDS = [
    {"type": "A", "name": "@", "data": "203.0.113.21", "ttl": 60},
    {"type": "CNAME", "name": "www", "data": "acme-wiki.example", "ttl": 1800},
    {"type": "MX", "name": "@", "data": "mail.example", "ttl": 1800, "priority": 10},
    {"type": "TXT", "name": "www2", "data": "hello", "ttl": 1800},
]
RULE = {"protocol": "tcp", "ports": "8443", "addresses": ["192.0.2.0/24"]}


@pytest.fixture
def fleet(cloud: Cloud) -> Cloud:
    """The simulated provider, every kind synced."""
    sync_inventory(mode=RunMode.FULL, actor="a test")
    sync_inventory(mode=RunMode.SLOW, actor="a test", kinds=["image"])
    cloud.simulator.control("DELETE", "requests")
    return cloud


def desire(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    """Want this of the resource of that name or id, which stays as it is."""
    rows = Resource.objects.live().filter(kind=kind)
    row = rows.filter(provider_id=name).first() or rows.get(name=name)
    record_provisioned(resource_pk=row.pk, spec=spec, saga_id=None)
    return row


def shown(row: Resource, field: str) -> Any:
    """The field as the inventory has it."""
    row = Resource.objects.select_related("project").get(pk=row.pk)
    if field == "project":
        return row.project and row.project.name
    return getattr(row, field) if field in {"name", "tags", "status"} else row.attrs[field]


def plain(value: Any) -> Any:
    """Lists in no order."""
    return sorted(json.dumps(each, sort_keys=True) for each in value) if isinstance(value, list) else value


def begin(row: Resource, *fields: str) -> SagaRun:
    return start("revert_drift", resource_id=row.pk, fields=list(fields))


# By kind and name: the desired value of each field, which the default fleet doesn't have.
WISHES: dict[tuple[str, str], dict[str, Any]] = {
    (Kind.DROPLET, str(SHOP_WEB)): {
        "name": "shop-web-one",
        "tags": ["role:new", "tenant:acme"],
        "project": "globex",
        "size_slug": "s-4vcpu-8gb",
        "status": "off",
    },
    (Kind.VOLUME, "shop-media"): {"tags": ["kept"], "project": "globex", "size_gb": "300"},
    (Kind.SNAPSHOT, "crm-data-weekly"): {"tags": ["weekly"]},
    (Kind.IMAGE, "shop-base"): {"tags": ["golden"], "name": "shop-golden"},
    (Kind.DNS_ZONE, ZONE): {"records": RIGHT_RECORDS, "project": "globex"},
    (Kind.RESERVED_IP, "203.0.113.99"): {"project": "globex"},
    (Kind.RESERVED_IP, "203.0.113.7"): {"droplet_id": None},
    (Kind.LOAD_BALANCER, "shop-lb"): {"name": "shop-balancer", "project": "globex"},
    (Kind.KUBERNETES_CLUSTER, "reports"): {"name": "reports-two", "auto_upgrade": True},
    (Kind.FIREWALL, "shop"): {
        "name": "shop-wall",
        "tags": ["deployment:shop", "role:more"],
        "droplet_ids": [str(SHOP_WEB)],
        "inbound_rules": [RULE],
        "outbound_rules": [{"protocol": "icmp", "ports": "all", "addresses": ["0.0.0.0/0"]}],
    },
    (Kind.VPC, "initech-reports"): {"name": "initech-net", "description": "by day"},
    (Kind.CDN_ENDPOINT, "acme-shop-media.nyc3.cdn.digitaloceanspaces.com"): {"ttl": 60},
}


def test_every_field_of_the_table_has_its_writer() -> None:
    by_steps = {(Kind.DROPLET, "size_slug"), (Kind.DROPLET, "status"), (Kind.VOLUME, "size_gb")}
    fields = {(kind, field) for kind, found in REVERSALS.items() for field in found if field != "project"}
    assert fields == set(WRITERS) | by_steps


def test_all_fields_of_a_resource_are_put_back_in_one_saga(fleet: Cloud) -> None:
    wrong = []
    for (kind, name), wishes in WISHES.items():
        row = desire(kind, name, wishes)
        saga = run_to_end(begin(row, *wishes))
        found = {field: plain(shown(row, field)) for field in wishes}
        if saga.status != "completed" or found != {field: plain(wish) for field, wish in wishes.items()}:
            wrong.append((kind, name, saga.status, saga.error, ledger(saga), found))
    assert not wrong, wrong


def test_a_saga_that_fails_at_its_end_leaves_every_resource_as_it_was(
    fleet: Cloud, fail_after: FailAfter
) -> None:
    failing, wrong, everything = fail_after("revert_drift", 100), [], fleet.everything()
    for (kind, name), wishes in WISHES.items():
        fields = [field for field in wishes if field != "size_gb"]  # which has no way back, and comes last
        row = desire(kind, name, wishes)
        before = {field: shown(row, field) for field in fields}
        saga = start_and_run(failing, resource_id=row.pk, fields=fields)
        if (saga.status, saga.compensation_failures) != ("rolled_back", 0) or before != {
            field: shown(row, field) for field in fields
        }:
            wrong.append((kind, name, saga.status, saga.error, ledger(saga)))
    assert not wrong, wrong
    now = fleet.everything()
    # A record that was deleted has another id when it is written again.
    for each in (now, everything):
        each["records"] = sorted(each["records"].values())
    assert now == everything
