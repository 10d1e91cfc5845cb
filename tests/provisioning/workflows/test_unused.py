"""`delete_volume`, `release_reserved_ip`, `delete_snapshot`: what nothing uses goes, all else is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from inventory.models import Resource, ResourceEvent, ResourceSpan
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine import runner
from provisioning.engine.failpoints import Failpoint, listen
from provisioning.errors import Protected
from provisioning.models import Provisioned, SagaRun
from provisioning.queries import plan_saga
from provisioning.services import cancel_saga, protect, record_provisioned
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import PASSING, SHOP_WEB, Cloud, pair
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import reason

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Unused:
    """A thing of the default fleet that nothing uses, and how it is deleted."""

    kind: str
    name: str
    workflow: str
    field: str
    path: str


THINGS = (
    Unused("volume", "old-files", "delete_volume", "volume_id", "/v2/volumes"),
    Unused("reserved_ip", "203.0.113.99", "release_reserved_ip", "address", "/v2/reserved_ips"),
    Unused("snapshot", "old-files-2024", "delete_snapshot", "snapshot_id", "/v2/snapshots"),
)
every_thing = pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.kind)
BOUNDARIES = (Failpoint.BEFORE_STEP, Failpoint.AFTER_EFFECT, Failpoint.AFTER_COMMIT)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, values in {"fault": PASSING, "point": BOUNDARIES}.items():
        if name in metafunc.fixturenames:
            pair(metafunc, (name, "thing"), values, THINGS)


@pytest.fixture(autouse=True)
def known(cloud: Cloud) -> None:
    """The droplets and snapshots are known already."""
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["volume", "reserved_ip"])


def row(thing: Unused) -> Resource:
    return Resource.objects.get(kind=thing.kind, name=thing.name)


def inputs(thing: Unused) -> dict[str, Any]:
    return {thing.field: row(thing).provider_id}


def is_there(cloud: Cloud, thing: Unused) -> bool:
    return cloud.api.ask("GET", f"{thing.path}/{row(thing).provider_id}").status_code == 200


def deletions(cloud: Cloud) -> int:
    return cloud.asked("DELETE", "/v2/")


@every_thing
def test_it_is_deleted_with_a_tombstone_and_nothing_is_desired_of_it(cloud: Cloud, thing: Unused) -> None:
    record_provisioned(resource_pk=row(thing).pk, spec={"name": thing.name}, saga_id=None)
    saga = start_and_run(thing.workflow, **inputs(thing))
    assert ledger(saga) == [(thing.workflow, "completed")]
    assert saga.subjects == [f"{thing.kind}:{row(thing).provider_id}"]
    assert saga.tenant_id == row(thing).tenant_id
    assert not is_there(cloud, thing)
    assert deletions(cloud) == 1
    assert not Provisioned.objects.exists()
    deleted = ResourceEvent.objects.get(resource=row(thing), event_type="deleted")
    assert deleted.source == f"saga:{saga.pk}"
    assert not ResourceSpan.objects.filter(resource=row(thing), during__endswith=None).exists()
    with pytest.raises(InvalidInput, match="the inventory has no"):
        start(thing.workflow, **inputs(thing))


@every_thing
def test_its_plan_says_what_goes_for_good(cloud: Cloud, thing: Unused) -> None:
    plan = plan_saga(kind=thing.workflow, inputs=inputs(thing))
    (effect,) = plan.effects.destroys
    assert thing.name in str(effect)
    assert "for good" in str(effect)
    assert plan.is_startable


@every_thing
def test_one_that_is_gone_already_is_done(cloud: Cloud, thing: Unused) -> None:
    saga = start(thing.workflow, **inputs(thing))
    cloud.api.ask("DELETE", f"{thing.path}/{row(thing).provider_id}")
    assert run_to_end(saga).status == "completed"
    assert deletions(cloud) == 1
    assert row(thing).deleted_at is not None


def test_what_passes_deletes_once(cloud: Cloud, thing: Unused, fault: str) -> None:
    cloud.simulator.fault(**PASSING[fault], method="DELETE", path=thing.path)
    assert start_and_run(thing.workflow, **inputs(thing)).status == "completed"
    assert not is_there(cloud, thing)
    assert row(thing).deleted_at is not None


@every_thing
def test_a_protected_one_is_refused_before_the_start_and_before_the_deletion(
    cloud: Cloud, thing: Unused
) -> None:
    saga = start(thing.workflow, **inputs(thing))
    protect(resource_pk=row(thing).pk, actor="a test")
    run_to_end(saga)
    assert reason(saga) == f"step_failed:{thing.workflow}"
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    with pytest.raises(Protected):
        start(thing.workflow, **inputs(thing))
    assert is_there(cloud, thing)
    assert deletions(cloud) == 0
    assert row(thing).deleted_at is None


def attach(cloud: Cloud) -> None:
    droplet = next(each for each in cloud.all("/v2/droplets", "droplets") if each["region"]["slug"] == "lon1")
    body = {"type": "attach", "droplet_id": droplet["id"], "region": "lon1"}
    # Under way when the saga looks: the deletion is refused, and the next look shows the droplet.
    answer = cloud.api.ask("POST", f"/v2/volumes/{row(THINGS[0]).provider_id}/actions", body)
    assert answer.status_code < 300


def assign(cloud: Cloud) -> None:
    droplet = next(each for each in cloud.all("/v2/droplets", "droplets") if each["region"]["slug"] == "ams3")
    cloud.api.post("/v2/reserved_ips/203.0.113.99/actions", {"type": "assign", "droplet_id": droplet["id"]})


@pytest.mark.parametrize(("thing", "use"), [(THINGS[0], attach), (THINGS[1], assign)], ids=["volume", "ip"])
def test_one_that_came_into_use_meanwhile_is_kept(
    cloud: Cloud, thing: Unused, use: Callable[[Cloud], None]
) -> None:
    saga = start(thing.workflow, **inputs(thing))
    use(cloud)
    run_to_end(saga)
    assert reason(saga) == f"step_failed:{thing.workflow}"
    assert "in use by droplet" in str(saga.steps.get().error)
    assert is_there(cloud, thing)
    assert deletions(cloud) == 0
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=[thing.kind])
    with pytest.raises(Conflict, match="in use by droplet"):
        start(thing.workflow, **inputs(thing))


@every_thing
def test_one_that_is_not_what_was_seen_is_kept(cloud: Cloud, thing: Unused) -> None:
    """Another thing under the same id: its name or its region is another."""
    given = inputs(thing)
    Resource.objects.filter(pk=row(thing).pk).update(region="tor1")
    saga = start_and_run(thing.workflow, **given)
    assert "isn't what it was" in str(saga.steps.get().error)
    assert deletions(cloud) == 0
    assert is_there(cloud, thing)


def test_a_snapshot_of_a_saga_that_has_not_ended_is_refused(cloud: Cloud) -> None:
    """An update restores the snapshot that it took."""
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    name = f"shop-web-01-saga-{saga.pk}-2-{saga.nonce}"
    Resource.objects.filter(pk=row(THINGS[2]).pk).update(name=name)
    snapshot = Resource.objects.get(name=name)
    with pytest.raises(Conflict, match=f"is of saga {saga.pk}"):
        start("delete_snapshot", snapshot_id=snapshot.provider_id)


@every_thing
def test_nothing_is_deleted_where_the_saga_fails_before(
    cloud: Cloud, fail_after: FailAfter, thing: Unused
) -> None:
    saga = start_and_run(fail_after(thing.workflow, 0), **inputs(thing))
    assert reason(saga) == "step_failed:fail"
    assert is_there(cloud, thing)


class Died(BaseException):
    """A worker's death: no handler of the engine bears it."""


def die_at(point: Failpoint, saga: SagaRun) -> None:
    """Have the saga's worker die at this point, and its lease run out."""

    def die(reached: Failpoint, _saga: int, _idx: int, _step: str) -> None:
        if reached == point:
            raise Died

    listen(die)
    try:
        with pytest.raises(Died):
            runner.run(saga.pk)
    finally:
        listen(None)
    SagaRun.objects.filter(pk=saga.pk, lease_expires_at__isnull=False).update(lease_expires_at=BEGINNING)


def test_a_worker_that_dies_at_a_boundary_leaves_one_deletion_and_one_tombstone(
    cloud: Cloud, thing: Unused, point: Failpoint
) -> None:
    saga = start(thing.workflow, **inputs(thing))

    die_at(point, saga)
    assert run_to_end(saga).status == "completed"
    assert deletions(cloud) == 1
    assert ResourceEvent.objects.filter(resource=row(thing), event_type="deleted").count() == 1


@every_thing
def test_a_cancel_after_the_deletion_is_told_that_nothing_brings_it_back(cloud: Cloud, thing: Unused) -> None:
    """The worker died between the deletion and its commit."""
    saga = start(thing.workflow, **inputs(thing))
    die_at(Failpoint.AFTER_EFFECT, saga)
    cancel_saga(saga_id=saga.pk, actor="a test")
    run_to_end(saga)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 1)
    assert f"{row(thing).provider_id} is deleted" in str(saga.steps.get().error)
    assert row(thing).deleted_at is not None
    assert not is_there(cloud, thing)
