"""Resources with a saga's mark that belong to none: reported once, until they are settled."""

import pytest
from pytest_django import DjangoAssertNumQueries

from arcadia_cloud.kernel.models import Alert
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine.runner import run
from provisioning.orphans import report_orphans
from provisioning.services import cancel_saga, prepare_restored
from tests.provisioning.sagas import start, start_and_run
from tests.provisioning.workflows.cloud import ORDER, Cloud


def sync() -> None:
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])


def open_alerts() -> list[str]:
    return list(
        Alert.objects.filter(code="stray_resource", resolved_at=None).values_list("subject", flat=True)
    )


def orphan(cloud: Cloud, tag: str) -> int:
    made: int = cloud.simulator.control("POST", "droplets", name="orphan", tags=[tag])["droplets"][0]["id"]
    sync()
    return made


@pytest.mark.parametrize("tag", ["saga:4711-2", "Saga:4711-2", "saga:nonsense"])
def test_a_mark_of_no_saga_is_reported_once_and_taken_back_when_it_is_settled(cloud: Cloud, tag: str) -> None:
    droplet = orphan(cloud, tag)
    assert report_orphans() == 1
    assert report_orphans() == 1
    assert open_alerts() == [f"droplet:{droplet}"]
    cloud.simulator.control("PATCH", f"droplets/{droplet}", tags=[])
    sync()
    assert report_orphans() == 0
    assert open_alerts() == []


def test_what_a_saga_made_is_no_orphan_and_its_twin_is_one(cloud: Cloud) -> None:
    saga = start_and_run("provision_droplet", **ORDER)
    sync()
    assert report_orphans() == 0
    twin = orphan(cloud, f"saga:{saga.pk}-2-{saga.nonce}")
    report_orphans()
    assert open_alerts() == [f"droplet:{twin}"]


@pytest.mark.parametrize("tag", ["saga:4711-2", "saga:1-2-0123456789abcdef", "SAGA:1-2"])
def test_of_what_may_be_another_installations_no_alert_advises_to_remove_it(cloud: Cloud, tag: str) -> None:
    start_and_run("provision_droplet", **ORDER)
    droplet = orphan(cloud, tag)
    report_orphans()
    alert = Alert.objects.get(code="stray_resource", subject=f"droplet:{droplet}")
    assert "Another installation on this account" in alert.message
    assert not {"destroy", "remove", "delete"} & set(alert.message.lower().replace(".", "").split())


@pytest.mark.parametrize("nonce", ["", "-0123456789abcdef"])
def test_what_has_a_sagas_number_and_not_its_nonce_is_another_installations(cloud: Cloud, nonce: str) -> None:
    saga = start_and_run("provision_droplet", **ORDER)
    orphan(cloud, f"saga:{saga.pk}-2{nonce}")
    assert report_orphans() == 1
    assert "Another installation on this account" in Alert.objects.get(code="stray_resource").message


@pytest.mark.parametrize("ending", ["cancelled before it began", "left to the original"])
def test_what_the_original_of_a_restored_copy_made_is_another_installations(
    cloud: Cloud, ending: str
) -> None:
    """The original went on with its saga, which has the same number and nonce."""
    saga = start("provision_droplet", **ORDER)
    if ending == "left to the original":
        run(saga.pk)
        prepare_restored(actor="a test", is_copy=True)
        sync()
    else:
        cancel_saga(saga_id=saga.pk, actor="a test")
        orphan(cloud, f"saga:{saga.pk}-2-{saga.nonce}")
    saga.refresh_from_db()
    assert saga.status == "rolled_back"
    assert report_orphans() == 1
    assert "Another installation on this account" in Alert.objects.get(code="stray_resource").message


def test_a_live_saga_answers_for_what_has_its_mark(cloud: Cloud) -> None:
    saga = start("provision_droplet", **ORDER)
    orphan(cloud, f"saga:{saga.pk}-2-{saga.nonce}")
    assert report_orphans() == 0


def test_what_a_rolled_back_saga_left_is_an_orphan(cloud: Cloud) -> None:
    cloud.fault("forbidden", method="POST", path="/resources$")
    saga = start_and_run("provision_droplet", **ORDER)
    sync()
    assert report_orphans() == 0
    left = orphan(cloud, f"saga:{saga.pk}-2-{saga.nonce}")
    report_orphans()
    assert open_alerts() == [f"droplet:{left}"]


def test_looking_for_orphans_costs_one_statement_and_no_call(
    cloud: Cloud, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):  # the strays, and the open alerts
        report_orphans()
    assert not cloud.simulator.requests()
