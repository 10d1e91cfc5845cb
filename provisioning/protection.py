"""Protected resources: no saga destroys, resizes or powers them off."""

from collections.abc import Iterable
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from arcadia_cloud.kernel.errors import NotFound
from inventory.models import Resource, ResourceEvent
from inventory.queries import kinds_with_recurring_ids
from inventory.values import PROVIDER, EventType
from provisioning.errors import Protected
from provisioning.models import ProtectedResource

PROTECTED_TAG: Final = "protected"


def protect(*, resource_pk: int, actor: str, note: str = "") -> None:
    """Mark a resource as protected. Raises NotFound."""
    if not Resource.objects.filter(pk=resource_pk).exists():
        raise NotFound(f"there is no resource {resource_pk}")
    values = {"protected_by": actor, "note": note, "protected_at": Now()}
    ProtectedResource.objects.update_or_create(resource_id=resource_pk, defaults=values)


def marks_in_force() -> QuerySet[ProtectedResource]:
    """Return the marks, without those of things that are gone and whose id another thing has now."""
    came_again = ResourceEvent.objects.filter(
        resource=OuterRef("resource"), event_type=EventType.RESTORED, at__gt=OuterRef("protected_at")
    )
    # Made before the mark, as told: it is the same thing, whose tombstone was wrong.
    is_another = Q(resource__provider_created_at=None) | Q(
        resource__provider_created_at__gt=F("protected_at")
    )
    return ProtectedResource.objects.exclude(
        Q(resource__kind__in=kinds_with_recurring_ids()) & is_another & Exists(came_again)
    )


def unprotect(*, resource_pk: int) -> bool:
    """Remove the mark; False when there was none. A tag `protected` still protects."""
    deleted, _ = ProtectedResource.objects.filter(resource_id=resource_pk).delete()
    return deleted == 1


def refuse_if_protected(*, kind: str, provider_id: str, tags: Iterable[str] = ()) -> None:
    """Raise Protected when an operator's mark or the tag `protected` is on the resource.

    For a workflow's `check`, and again for the step before its first harm: the mark may be newer than the
    saga. `tags` are those just read from the provider; inventory's are looked at in any case.
    """
    named = Resource.objects.filter(provider=PROVIDER, kind=kind, provider_id=provider_id)
    marked = named.filter(Q(protection__in=marks_in_force()) | Q(tags__contains=[PROTECTED_TAG]))
    if PROTECTED_TAG in tags or marked.exists():
        raise Protected(f"{kind} {provider_id} is protected: take its mark or its tag away first")
