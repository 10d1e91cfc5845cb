"""Words and evidence of owners: none outlives its thing, hides another for good, or is newer than it was."""

from datetime import datetime

import pytest
from django.utils import timezone
from msgspec.structs import replace

from inventory.attribution.assign import assign, clear_assignment
from inventory.models import ResourceEvent
from inventory.queries import kind_spec
from inventory.values import Kind
from tests.inventory.observations import (
    a_deployment,
    a_project,
    history,
    minute,
    observed,
    seen,
    the_resource,
    tombstone,
)
from tests.inventory.test_attribution import owner_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_assigned_first", [False, True])
def test_a_cleared_assignment_gives_what_a_saga_made_back_to_its_deployment(is_assigned_first: bool) -> None:
    shop = a_deployment("globex", "shop")
    project = a_project("Acme", "acme")
    made = seen(tags=[], tenant_id="globex", deployment_id=shop.pk)
    observed(seen(tags=[], project_id=project.pk) if is_assigned_first else made)
    pk = the_resource().pk
    assign(resource_pks=[pk], tenant_id="initech", deployment_pk=None, actor="a", source="s")
    observed(made, at=timezone.now())
    assert owner_of() == ("initech", None, "operator")

    clear_assignment(resource_pks=[pk], actor="a", source="s")
    assert owner_of() == ("globex", "shop", "saga")
    observed(seen(tags=["tenant:acme"], project_id=project.pk), at=timezone.now())
    assert owner_of() == ("globex", "shop", "saga")


@pytest.mark.parametrize(
    ("kind", "provider_id", "created_at"),
    [
        (Kind.DNS_ZONE, "example.com", None),
        (Kind.RESERVED_IP, "203.0.113.7", None),
        (Kind.SPACES_BUCKET, "media", minute(200)),
        (Kind.REGISTRY, "build-images", minute(200)),
    ],
)
@pytest.mark.parametrize("by_saga", [False, True])
def test_another_thing_under_the_same_id_has_no_owner_of_the_one_that_is_gone(
    kind: Kind, provider_id: str, created_at: datetime | None, by_saga: bool
) -> None:
    first = seen(provider_id, tags=[], created_at=created_at and minute(-60), can_attribute=True)
    observed(replace(first, tenant_id="globex") if by_saga else first, kind=kind)
    if not by_saga:
        pk = the_resource(provider_id).pk
        assign(resource_pks=[pk], tenant_id="initech", deployment_pk=None, actor="a", source="s")
    tombstone([provider_id], at=timezone.now())

    second = seen(provider_id, tags=[], created_at=created_at, can_attribute=True)
    observed(second, kind=kind, at=timezone.now(), ids_recur=kind_spec(kind).ids_recur)

    assert owner_of(provider_id) == (None, None, "")
    assert the_resource(provider_id).saga_tenant_id is None
    assert the_resource(provider_id).spans.get(during__endswith=None).tenant_id is None


def test_the_same_bucket_that_is_seen_again_keeps_its_owner() -> None:
    bucket = seen("media", tags=[], can_attribute=True)
    observed(bucket, kind=Kind.SPACES_BUCKET)
    pk = the_resource("media").pk
    assign(resource_pks=[pk], tenant_id="initech", deployment_pk=None, actor="a", source="s")
    tombstone(["media"], at=timezone.now())
    observed(bucket, kind=Kind.SPACES_BUCKET, at=timezone.now(), ids_recur=True)
    assert owner_of("media") == ("initech", None, "operator")


def test_a_droplet_that_comes_back_keeps_its_owner_for_its_id_never_comes_again() -> None:
    observed(seen(tags=[], created_at=None))
    assign(resource_pks=[the_resource().pk], tenant_id="initech", deployment_pk=None, actor="a", source="s")
    tombstone(["1"], at=timezone.now())
    observed(seen(tags=[], created_at=None), at=timezone.now(), ids_recur=kind_spec(Kind.DROPLET).ids_recur)
    assert owner_of() == ("initech", None, "operator")


# --- Evidence that is older than the observation ---------------------------------------------------


@pytest.mark.parametrize("is_new_in_batch", [False, True])
def test_a_membership_read_before_a_saga_moved_a_droplet_does_not_move_it_back(
    is_new_in_batch: bool,
) -> None:
    """With one that is new, the batch is written whole; without, it is compared first."""
    before, after = a_project("Before", "acme"), a_project("After", "globex")
    observed(seen(tags=[], project_id=before.pk))
    observed(seen(tags=[], project_id=after.pk), at=minute(10))
    more = [seen("2", tags=[], project_id=before.pk)] if is_new_in_batch else []
    observed(seen(tags=[], project_id=before.pk), *more, at=minute(11), project_asked_at=minute(9))
    assert (the_resource().project_id, *owner_of()) == (after.pk, "globex", None, "project")
    assert the_resource().last_seen_at == minute(11)
    assert history() == ["discovered", "updated"]

    observed(seen(tags=[], project_id=before.pk), at=minute(13), project_asked_at=minute(12))
    assert (the_resource().project_id, *owner_of()) == (before.pk, "acme", None, "project")


def test_a_fast_run_leaves_a_tag_alone_until_the_project_that_may_contradict_it_is_read() -> None:
    project = a_project("Globex", "globex")
    tagged = seen(tags=["deployment:shop", "tenant:acme"], can_attribute=False)
    observed(tagged, bump_unchanged=False)
    assert owner_of() == (None, None, "")
    assert the_resource().attribution_note == "its tags name an owner, but its project was not read yet"
    observed(replace(tagged, project_id=project.pk, can_attribute=True), at=minute(5))
    assert owner_of() == (None, None, "")
    assert the_resource().attribution_note == "its tag says tenant acme, its project says globex"
    assert not ResourceEvent.objects.filter(changes__has_key="tenant_id").exists()
