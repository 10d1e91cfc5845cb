"""Protected resources."""

from datetime import timedelta

import pytest
from django.utils import timezone
from msgspec.structs import replace

from arcadia_cloud.kernel.errors import NotFound
from inventory.models import Resource
from inventory.values import Kind
from provisioning.errors import Protected
from provisioning.protection import marks_in_force, refuse_if_protected
from provisioning.services import protect, unprotect
from tests.inventory.observations import observed, seen
from tests.provisioning.sagas import droplet_row

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_marked_resource_is_protected_until_the_mark_is_taken_away() -> None:
    resource = droplet_row()
    refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    protect(resource_pk=resource.pk, actor="jo", note="the demo")
    protect(resource_pk=resource.pk, actor="jo")
    with pytest.raises(Protected, match=f"droplet {resource.provider_id} is protected"):
        refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    assert (unprotect(resource_pk=resource.pk), unprotect(resource_pk=resource.pk)) == (True, False)
    refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    with pytest.raises(NotFound):
        protect(resource_pk=resource.pk + 1, actor="jo")


def test_the_tag_protects_as_the_inventory_knows_it_and_as_the_provider_has_it() -> None:
    resource = droplet_row(tags=["protected"])
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id="never seen", tags=["a", "protected"])
    refuse_if_protected(kind="droplet", provider_id="never seen", tags=["unprotected"])


@pytest.mark.parametrize(("kind", "is_told"), [(Kind.DNS_ZONE, False), (Kind.SPACES_BUCKET, True)])
def test_another_thing_under_the_id_of_a_protected_one_is_not_protected(kind: Kind, is_told: bool) -> None:
    hours = timedelta(hours=1)
    began = timezone.now() - 2 * hours
    first = seen("media", tags=[], created_at=began if is_told else None)
    observed(first, kind=kind, at=began, ids_recur=True)
    resource = Resource.objects.get()
    protect(resource_pk=resource.pk, actor="jo")
    Resource.objects.update(deleted_at=timezone.now())
    second = replace(first, created_at=timezone.now() if is_told else None)
    observed(second, kind=kind, at=timezone.now(), ids_recur=True)

    refuse_if_protected(kind=kind, provider_id="media")
    assert not marks_in_force().exists()
    protect(resource_pk=resource.pk, actor="jo")
    with pytest.raises(Protected):
        refuse_if_protected(kind=kind, provider_id="media")


@pytest.mark.parametrize("kind", [Kind.SPACES_BUCKET, Kind.DROPLET])
def test_a_thing_whose_tombstone_was_wrong_is_still_protected(kind: Kind) -> None:
    began = timezone.now() - timedelta(hours=2)
    thing = seen("77", tags=[], created_at=began)
    observed(thing, kind=kind, at=began, ids_recur=kind == Kind.SPACES_BUCKET)
    protect(resource_pk=Resource.objects.get().pk, actor="jo")
    Resource.objects.update(deleted_at=timezone.now())
    observed(thing, kind=kind, at=timezone.now(), ids_recur=kind == Kind.SPACES_BUCKET)
    assert Resource.objects.get().deleted_at is None
    with pytest.raises(Protected):
        refuse_if_protected(kind=kind, provider_id="77")
