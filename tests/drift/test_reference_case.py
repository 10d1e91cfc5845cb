"""The reference case and its continuation, by real sagas in the simulator, with sweeps all the while."""

import pytest
from django.utils import timezone

from drift.detection import sweep_all
from drift.errors import RevertUnderWay
from drift.models import Drift
from drift.services import accept_drift, revert_drift
from drift.states import DriftStatus
from inventory.models import Resource, ResourceEvent
from inventory.services import sync_inventory
from inventory.values import EventType, Kind, RunMode
from provisioning.engine.runner import run
from provisioning.models import Provisioned, SagaRun
from provisioning.services import record_provisioned
from provisioning.states import ENDED, SagaStatus
from tests.provisioning.sagas import run_to_end, start
from tests.provisioning.workflows.cloud import SHOP_WEB, Cloud
from tests.provisioning.workflows.conftest import cloud

__all__ = ["cloud"]
WRONG_SIZE = "s-4vcpu-8gb"
LIVE_SIZE = "s-2vcpu-4gb"


def sweep() -> None:
    sweep_all(at=timezone.now())


@pytest.fixture
def drift(cloud: Cloud) -> Drift:
    """A droplet recorded with a deliberately wrong size and a right region, swept."""
    droplet = Resource.objects.get(kind=Kind.DROPLET, provider_id=str(SHOP_WEB))
    record_provisioned(
        resource_pk=droplet.pk, spec={"size_slug": WRONG_SIZE, "region": droplet.region}, saga_id=None
    )
    sweep()
    return Drift.objects.get()


def test_the_reference_case_with_accept(drift: Drift, cloud: Cloud) -> None:
    assert (drift.field, drift.expected, drift.actual) == ("size_slug", WRONG_SIZE, LIVE_SIZE)
    assert ResourceEvent.objects.filter(event_type=EventType.DRIFT_DETECTED).count() == 1
    accept_drift(drift_pk=drift.pk, actor="ada", at=timezone.now())
    assert Provisioned.objects.get().spec["size_slug"] == LIVE_SIZE
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    sweep()
    assert Drift.objects.get().status == DriftStatus.ACCEPTED


def test_the_reference_case_with_revert(drift: Drift, cloud: Cloud) -> None:
    """The saga resizes the droplet back; the row shows it meanwhile, and the next sweep closes it."""
    reverting = revert_drift(drift_pk=drift.pk, actor="ada", at=timezone.now())
    saga = reverting.revert_saga
    assert saga is not None
    with pytest.raises(RevertUnderWay, match=f"saga {saga.pk}, which is pending, puts back"):
        revert_drift(drift_pk=drift.pk, actor="bob", at=timezone.now())
    assert SagaRun.objects.count() == 1
    assert run_to_end(saga).status == SagaStatus.COMPLETED
    assert cloud.droplet(SHOP_WEB)["size_slug"] == WRONG_SIZE
    sweep()
    row = Drift.objects.get()
    assert (row.status, row.resolved_by, row.revert_saga_id) == (DriftStatus.REVERTED, "ada", saga.pk)
    assert Provisioned.objects.get().spec["size_slug"] == WRONG_SIZE


def test_the_change_of_a_running_saga_is_no_drift(cloud: Cloud) -> None:
    droplet = Resource.objects.get(kind=Kind.DROPLET, provider_id=str(SHOP_WEB))
    spec = {"size_slug": droplet.attrs["size_slug"], "region": droplet.region, "status": "active"}
    record_provisioned(resource_pk=droplet.pk, spec=spec, saga_id=None)
    saga = start("resize_droplet", droplet_id=SHOP_WEB, size=WRONG_SIZE)
    while saga.status not in ENDED:
        run(saga.pk)
        sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
        sweep()
        saga.refresh_from_db()
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    sweep()
    assert saga.status == SagaStatus.COMPLETED
    assert Resource.objects.get(pk=droplet.pk).attrs["size_slug"] == WRONG_SIZE
    assert not Drift.objects.exists()
