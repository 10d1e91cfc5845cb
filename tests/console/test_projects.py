"""Projects: the two fields that are the operator's."""

from typing import Any

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.test import Client

from inventory.models import Project, Resource
from inventory.tasks import follow_project
from tests.inventory.observations import a_project, last_changes, observed, seen


def change(client: Client, project: Project, **fields: str) -> int:
    return client.post(f"/admin/inventory/project/{project.pk}/change/", fields).status_code


def test_an_operator_assigns_a_project_to_a_tenant_and_it_is_logged(operator: Client) -> None:
    project = a_project("shop", tenant_id="acme")

    assert change(operator, project, tenant_id="globex", purpose="Web shop") == 302

    project.refresh_from_db()
    assert (project.tenant_id, project.purpose) == ("globex", "Web shop")
    entry = LogEntry.objects.get()
    assert entry.user.username == "operator-1"
    assert entry.get_change_message() == "tenant: acme → globex; purpose: - → Web shop"


@pytest.mark.django_db
def test_what_is_in_a_project_follows_it_to_its_new_tenant() -> None:
    project = a_project("shop", tenant_id="acme")
    observed(*(seen(str(number), project_id=project.pk) for number in range(1, 4)))
    Project.objects.filter(pk=project.pk).update(tenant_id="globex")

    assert follow_project(project_pk=project.pk, actor="user:a test") == {"changed": 3}

    assert set(Resource.objects.values_list("tenant_id", flat=True)) == {"globex"}
    assert last_changes() == {"tenant_id": ["acme", "globex"]}
    assert follow_project(project_pk=project.pk, actor="user:a test") == {"changed": 0}


@pytest.mark.django_db(transaction=True)
def test_giving_a_project_away_asks_the_workers_to_follow(
    operator: Client, valkey_client: redis.Redis
) -> None:
    project = a_project("shop", tenant_id="acme")
    change(operator, project, tenant_id="acme", purpose="Web shop")
    assert valkey_client.llen("cloud_sync_full") == 0
    change(operator, project, tenant_id="globex", purpose="Web shop")
    assert valkey_client.llen("cloud_sync_full") == 1


@pytest.mark.parametrize("nothing", ["", "   "])
def test_no_tenant_is_stored_as_null(operator: Client, nothing: str) -> None:
    project = a_project("shop", tenant_id="acme")

    assert change(operator, project, tenant_id=nothing, purpose="") == 302

    project.refresh_from_db()
    assert project.tenant_id is None


def test_what_the_provider_owns_is_not_written(operator: Client) -> None:
    project = a_project("shop", tenant_id="acme")

    change(operator, project, tenant_id="globex", purpose="", name="mine", provider_id="x", description="y")

    project.refresh_from_db()
    assert (project.name, project.provider_id, project.description) == ("shop", "project-shop", "")


def test_a_sync_that_renames_meanwhile_is_not_undone(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form read the row before the sync wrote it; only what the operator changed is saved."""
    project = a_project("shop", tenant_id="acme")
    clean = Project.full_clean

    def clean_while_a_sync_writes(row: Project, *arguments: Any, **options: Any) -> None:
        Project.objects.filter(pk=project.pk).update(name="renamed there")
        clean(row, *arguments, **options)

    monkeypatch.setattr(Project, "full_clean", clean_while_a_sync_writes)

    assert change(operator, project, tenant_id="globex", purpose="") == 302

    project.refresh_from_db()
    assert (project.name, project.tenant_id) == ("renamed there", "globex")
