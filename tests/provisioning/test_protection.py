"""Protected resources."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from arcadia_cloud.kernel.errors import NotFound
from inventory.models import Resource
from inventory.queries import kind_spec
from inventory.values import Kind
from provisioning.errors import Protected
from provisioning.models import ProtectedResource
from provisioning.protection import refuse_if_protected
from provisioning.services import protect, unprotect
from tests.inventory.observations import minute, observed, seen, tombstone
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


@pytest.mark.parametrize("tag", ["Protected", "PROTECTED", "pRotected"])
def test_the_tag_protects_in_any_capitals(admin_client: Client, tag: str) -> None:
    resource = droplet_row(tags=[tag])
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id="never seen", tags=[tag])
    page = admin_client.get(f"/admin/inventory/resource/{resource.pk}/change/").content.decode()
    assert "by its tag" in page


@pytest.mark.parametrize(
    ("kind", "provider_id", "created_at", "is_another"),
    [
        (Kind.DNS_ZONE, "example.com", None, True),
        (Kind.RESERVED_IP, "203.0.113.7", None, True),
        (Kind.SPACES_BUCKET, "media", minute(200), True),
        (Kind.REGISTRY, "images", minute(200), True),
        (Kind.SPACES_BUCKET, "media", minute(-60), False),  # the same: its tombstone was wrong
        (Kind.DROPLET, "4711", None, False),  # its id never comes again
    ],
)
def test_the_mark_of_one_that_is_gone_does_not_pass_to_another_of_its_name(
    kind: Kind, provider_id: str, created_at: datetime | None, is_another: bool
) -> None:
    first = seen(provider_id, created_at=minute(-60) if created_at is not None else None)
    observed(first, seen("another"), kind=kind)
    for row in Resource.objects.all():
        protect(resource_pk=row.pk, actor="jo")
    tombstone([provider_id, "another"], at=timezone.now())
    again = seen(provider_id, created_at=created_at)
    observed(again, kind=kind, at=timezone.now(), ids_recur=kind_spec(kind).ids_recur)
    left = ProtectedResource.objects.values_list("resource__provider_id", flat=True)
    assert set(left) == {"another"} | (set() if is_another else {provider_id})
