"""The mirror of projects: an older list takes nothing from what was seen later."""

import pytest

from arcadia_cloud.digitalocean.records import ProjectRecord
from inventory.models import Project
from inventory.sync.projects import mirror_projects
from tests.inventory.observations import minute

pytestmark = pytest.mark.django_db


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
