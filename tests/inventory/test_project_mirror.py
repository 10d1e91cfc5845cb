"""The mirror of projects: an older list takes nothing from what was seen later."""

import time

import pytest

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.records import ProjectRecord
from arcadia_cloud.kernel.database import DatabaseClock
from inventory.models import Project
from inventory.sync.projects import mirror_projects
from tests.inventory.conftest import SyncNow
from tests.inventory.observations import minute
from tests.kernel.threads import in_thread
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


def a_record(project_id: str, name: str) -> ProjectRecord:
    return ProjectRecord(id=project_id, name=name)


def test_a_list_that_was_asked_for_before_a_project_was_made_does_not_delete_it() -> None:
    mirror_projects([a_record("1", "ours")], at=minute(0))
    mirror_projects([a_record("1", "ours"), a_record("2", "made by a saga")], at=minute(6))
    pks = mirror_projects([a_record("1", "ours")], at=minute(5))
    assert set(pks) == {"1", "2"}
    assert not Project.objects.exclude(deleted_at=None).exists()


def test_an_older_list_takes_back_no_name_and_no_sight() -> None:
    mirror_projects([a_record("1", "new name")], at=minute(6))
    mirror_projects([a_record("1", "old name")], at=minute(5))
    project = Project.objects.get()
    assert (project.name, project.last_seen_at) == ("new name", minute(6))


def test_a_newer_list_deletes_and_brings_back() -> None:
    mirror_projects([a_record("1", "ours"), a_record("2", "theirs")], at=minute(0))
    Project.objects.filter(provider_id="2").update(tenant_id="acme", purpose="theirs")
    assert set(mirror_projects([a_record("1", "ours")], at=minute(1))) == {"1"}
    assert Project.objects.get(provider_id="2").deleted_at == minute(1)
    mirror_projects([a_record("2", "theirs again")], at=minute(2))
    theirs = Project.objects.get(provider_id="2")
    assert (theirs.name, theirs.tenant_id, theirs.purpose, theirs.deleted_at) == (
        "theirs again", "acme", "theirs", None,
    )  # fmt: skip


def test_a_project_that_a_saga_makes_while_members_are_read_lives(
    simulator: Simulated, sync: SyncNow
) -> None:
    sync()
    simulator.control("DELETE", "requests")
    simulator.fault(kind="latency", seconds=1, method="GET", path="/resources$")
    reading = in_thread(sync)
    while not simulator.requests(method="GET", path="/v2/projects"):  # the list has been read
        time.sleep(0.01)
    with DigitalOcean() as cloud:
        made = cloud.create_project(name="acme-new", purpose="Web Application")
        mirror_projects(list(cloud.projects()), at=DatabaseClock().now())
    reading.join()
    assert Project.objects.get(provider_id=made.id).deleted_at is None
