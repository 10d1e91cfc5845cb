"""Protected resources."""

import pytest

from arcadia_cloud.kernel.errors import NotFound
from provisioning.errors import Protected
from provisioning.protection import refuse_if_protected
from provisioning.services import protect, unprotect
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
