"""The sagas that can be started from a resource's page: each a form that leads to the plan at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from arcadia_cloud.kernel.money import Money, format_money
from inventory.models import Resource
from inventory.values import PROVIDER_CURRENCY, Kind
from provisioning.admin.start import title_of
from provisioning.admin.start_form import StartForm
from provisioning.models import ProviderOffer
from provisioning.registry import workflow_of

_POWER_OFF: Final = "power_off_droplet"
_POWER_ON: Final = "power_on_droplet"
_RESIZE: Final = "resize_droplet"
_SNAPSHOT: Final = "snapshot_droplet"
_DESTROY: Final = "destroy_droplet"
# The workflows on a resource by its kind, and the input that names it.
_WORKFLOWS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    Kind.DROPLET: ("droplet_id", (_POWER_OFF, _POWER_ON, _RESIZE, _SNAPSHOT, _DESTROY)),
    Kind.VOLUME: ("volume_id", ("delete_volume",)),
    Kind.RESERVED_IP: ("address", ("release_reserved_ip",)),
    Kind.SNAPSHOT: ("snapshot_id", ("delete_snapshot",)),
}
# The states that a workflow has something to do in; one that isn't here has in any.
_STATES: Final[Mapping[str, frozenset[str]]] = {
    _POWER_OFF: frozenset({"active"}),
    _POWER_ON: frozenset({"off", "archive"}),
    _RESIZE: frozenset({"active", "off"}),
    _SNAPSHOT: frozenset({"active", "off"}),
}
# A protected resource may still be switched on and copied.
_HARMLESS: Final = frozenset({_POWER_ON, _SNAPSHOT})


@dataclass(frozen=True, slots=True)
class Start:
    """A workflow's form, its inputs filled in; `sizes` are those to choose from, with their prices."""

    title: str
    address: str
    form: StartForm
    sizes: list[tuple[str, str]] | None = None


def list_starts(
    request: HttpRequest, resource: Resource, *, is_protected: bool, is_busy: bool
) -> list[Start]:
    """Return what the user may start on the resource in its present state. One query at most.

    Nothing where a saga works on it already: two never do at once.
    """
    field, kinds = _WORKFLOWS.get(resource.kind, ("", ()))
    if resource.deleted_at or is_busy or not request.user.has_perm("provisioning.change_sagarun"):
        return []
    starts = []
    for kind in kinds:
        workflow = workflow_of(kind)
        fits = resource.status in _STATES.get(kind, {resource.status})
        if workflow is None or not fits or (is_protected and kind not in _HARMLESS):
            continue
        form = StartForm(workflow, initial={field: resource.provider_id}, auto_id=False)
        sizes = _list_sizes(resource) if kind == _RESIZE else None
        address = reverse("admin:provisioning_sagarun_start", args=[kind])
        starts.append(Start(title_of(workflow), address, form, sizes))
    return starts


def _list_sizes(droplet: Resource) -> list[tuple[str, str]]:
    """Return the sizes that DigitalOcean sells in its region but for its own, the cheapest first."""
    offer = ProviderOffer.objects.filter(pk=1).values_list("sizes", flat=True).first() or {}
    present = droplet.attrs.get("size_slug")
    sold = [
        (Decimal(size["price_monthly"]), slug)
        for slug, size in offer.items()
        if size["is_available"] and droplet.region in size["regions"] and slug != present
    ]
    priced = ((slug, format_money(Money(price, PROVIDER_CURRENCY))) for price, slug in sorted(sold))
    return [(slug, f"{slug}, {price} a month") for slug, price in priced]
