"""`revert_drift`: each field that DigitalOcean can put back, there, back again, and under its faults."""

import json
from typing import Any

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.errors import Conflict
from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import Kind, RunMode
from provisioning.errors import NotRevertable, Protected, SubjectBusy
from provisioning.models import SagaRun
from provisioning.queries import plan_saga
from provisioning.reversals import REVERSALS
from provisioning.services import protect, record_provisioned
from provisioning.steps.revert.writers import WRITERS
from simulator.default_fleet.buckets import BUCKETS
from simulator.spaces import fill
from tests.inventory.conftest import _spaces_url, spaces
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import LEGACY, PASSING, SHOP_WEB, ZONE, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import reason

__all__ = ["_spaces_url", "spaces"]
RIGHT_RECORDS = [
    {"type": "A", "name": "@", "data": "203.0.113.21", "ttl": 60},
    {"type": "CNAME", "name": "www", "data": "acme-wiki.example", "ttl": 1800},
    {"type": "MX", "name": "@", "data": "mail.example", "ttl": 1800, "priority": 10},
    {"type": "TXT", "name": "www2", "data": "hello", "ttl": 1800},
]
RULE = {"protocol": "tcp", "ports": "8443", "addresses": ["192.0.2.0/24"]}


@pytest.fixture
def fleet(cloud: Cloud, spaces: None) -> Cloud:
    """The simulated provider, every kind synced, with one bucket."""
    fill(next(each for each in BUCKETS if each.name == "old-uploads"), newest_at=timezone.now())
    sync_inventory(mode=RunMode.FULL, actor="a test")
    sync_inventory(mode=RunMode.SLOW, actor="a test", kinds=["image", "spaces_bucket"])
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
    (Kind.VOLUME, "shop-data"): {"droplet_ids": []},
    (Kind.DATABASE, "crm-pg"): {"tags": ["engine:pg"], "project": "acme"},
    (Kind.APP, "acme-landing"): {"project": "globex"},
    (Kind.SNAPSHOT, "crm-data-weekly"): {"tags": ["weekly"]},
    (Kind.IMAGE, "shop-base"): {"tags": ["golden"], "name": "shop-golden"},
    (Kind.DNS_ZONE, ZONE): {"records": RIGHT_RECORDS, "project": "globex"},
    (Kind.RESERVED_IP, "203.0.113.99"): {"project": "globex"},
    (Kind.RESERVED_IP, "203.0.113.7"): {"droplet_id": None},
    (Kind.LOAD_BALANCER, "shop-lb"): {"name": "shop-balancer", "project": "globex"},
    (Kind.KUBERNETES_CLUSTER, "reports"): {"name": "reports-two", "auto_upgrade": True, "project": "globex"},
    (Kind.SPACES_BUCKET, "old-uploads"): {"project": "globex"},
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


def test_every_field_of_the_table_is_put_back_in_a_test() -> None:
    wished = {(kind, field) for (kind, _), wishes in WISHES.items() for field in wishes}
    assert wished == {(kind, field) for kind, found in REVERSALS.items() for field in found}


def test_all_fields_of_a_resource_are_put_back_in_one_saga(fleet: Cloud) -> None:
    wrong = []
    for (kind, name), wishes in WISHES.items():
        row = desire(kind, name, wishes)
        saga = run_to_end(begin(row, *wishes))
        found = {field: plain(shown(row, field)) for field in wishes}
        if saga.status != "completed" or found != {field: plain(wish) for field, wish in wishes.items()}:
            wrong.append((kind, name, saga.status, saga.error, ledger(saga), found))
    assert not wrong, wrong


def test_what_is_assigned_or_attached_elsewhere_is_moved_to_its_droplet(fleet: Cloud) -> None:
    elsewhere = Resource.objects.get(kind=Kind.DROPLET, name="shop-db-01").provider_id
    address = desire(Kind.RESERVED_IP, "203.0.113.7", {"droplet_id": elsewhere})
    volume = desire(Kind.VOLUME, "shop-media", {"droplet_ids": [elsewhere]})
    assert shown(address, "droplet_id") != elsewhere
    for row, field in ((address, "droplet_id"), (volume, "droplet_ids")):
        saga = run_to_end(begin(row, field))
        assert saga.status == "completed", saga.error
    assert str(shown(address, "droplet_id")) == elsewhere
    assert shown(volume, "droplet_ids") == [elsewhere]


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


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_outlived(cloud: Cloud, fault: str) -> None:
    row = desire(Kind.DROPLET, str(SHOP_WEB), {"tags": ["role:new"], "name": "shop-one"})
    cloud.fault(**PASSING[fault], method="POST", path="(tags|actions)")
    saga = run_to_end(begin(row, "tags", "name"))
    assert saga.status == "completed", saga.error
    assert (cloud.droplet(SHOP_WEB)["tags"], cloud.droplet(SHOP_WEB)["name"]) == (["role:new"], "shop-one")


def test_a_record_whose_answer_was_lost_is_written_once(fleet: Cloud) -> None:
    row = desire(Kind.DNS_ZONE, ZONE, {"records": RIGHT_RECORDS})
    fleet.fault("drop_after", method="POST", path="records$")
    saga = run_to_end(begin(row, "records"))
    assert saga.status == "completed", saga.error
    assert sorted(each["type"] for each in fleet.records()) == ["A", "CNAME", "MX", "TXT"]


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        (Kind.DROPLET, str(SHOP_WEB), {"region": "ams3"}),
        (Kind.DROPLET, str(SHOP_WEB), {"status": "archive"}),
        (Kind.DROPLET, str(SHOP_WEB), {"tags": "not a list"}),
        (Kind.DROPLET, str(SHOP_WEB), {"memory_mb": 1}),
    ],
)
def test_what_cannot_be_put_back_is_refused_with_the_reason(
    cloud: Cloud, kind: str, name: str, spec: dict[str, Any]
) -> None:
    row = desire(kind, name, spec)
    with pytest.raises(NotRevertable) as refusal:
        begin(row, *spec)
    assert list(refusal.value.errors) == list(spec)
    assert not SagaRun.objects.exists()


def test_a_volume_does_not_shrink(fleet: Cloud) -> None:
    row = desire(Kind.VOLUME, "shop-media", {"size_gb": "100"})
    with pytest.raises(NotRevertable, match="can't shrink, and it has 250 GB"):
        begin(row, "size_gb")


def test_a_protected_droplet_keeps_its_size_and_its_tag_and_may_be_renamed(cloud: Cloud) -> None:
    spec = {"size_slug": "s-4vcpu-8gb", "status": "off", "name": "shop-one", "tags": []}
    row = desire(Kind.DROPLET, str(SHOP_WEB), spec)
    protect(resource_pk=row.pk, actor="a test")
    for field in ("size_slug", "status"):
        with pytest.raises(Protected):
            begin(row, field)
    assert run_to_end(begin(row, "name")).status == "completed"
    Resource.objects.filter(pk=row.pk).update(tags=["Protected"])
    with pytest.raises(Protected, match="a tag that would be taken off"):
        begin(row, "tags")


def test_one_saga_at_a_time_holds_the_resource(cloud: Cloud) -> None:
    row = desire(Kind.DROPLET, str(SHOP_WEB), {"name": "shop-one", "tags": []})
    begin(row, "name")
    with pytest.raises(SubjectBusy):
        begin(row, "tags")


def test_a_field_of_which_nothing_is_desired_is_a_conflict(cloud: Cloud) -> None:
    row = desire(Kind.DROPLET, str(SHOP_WEB), {"name": "shop-one"})
    with pytest.raises(Conflict, match="has no desired tags"):
        begin(row, "tags")


def test_a_droplet_with_the_right_size_by_now_is_not_switched_off(cloud: Cloud) -> None:
    row = desire(Kind.DROPLET, str(LEGACY), {"size_slug": "s-2vcpu-2gb", "status": "active"})
    saga = run_to_end(begin(row, "size_slug", "status"))
    assert saga.status == "completed", saga.error
    assert cloud.droplet(LEGACY)["status"] == "active"
    assert cloud.asked("POST", f"/v2/droplets/{LEGACY}/actions") == 1


def test_the_plan_says_what_is_put_back_and_what_is_switched_off(cloud: Cloud) -> None:
    row = desire(Kind.DROPLET, str(SHOP_WEB), {"size_slug": "s-4vcpu-8gb", "name": "shop-one"})
    plan = plan_saga(kind="revert_drift", inputs={"resource_id": row.pk, "fields": ["size_slug", "name"]})
    assert [str(each).partition(": ")[2] for each in plan.effects.changes] == [
        f"size_slug back to s-4vcpu-8gb: {REVERSALS[Kind.DROPLET]['size_slug'].how}",
        "name back to shop-one: it is renamed",
    ]
    assert plan.effects.powered_off == ["shop-web-01 is off while it is resized"]
    assert plan.is_startable


def test_a_cancel_in_the_middle_puts_back_what_was_done(cloud: Cloud, fail_after: FailAfter) -> None:
    row = desire(Kind.DROPLET, str(SHOP_WEB), {"name": "shop-one", "size_slug": "s-4vcpu-8gb"})
    before = cloud.everything()
    for done in (2, 4, 5):
        saga = start_and_run(
            fail_after("revert_drift", done), resource_id=row.pk, fields=["name", "size_slug"]
        )
        assert reason(saga) == "step_failed:fail"
        assert cloud.everything() == before
