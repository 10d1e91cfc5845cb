"""The forms behind the assignment of resources, and what an operator decides by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db.models import Count, Q, Sum
from django.urls import reverse_lazy

from arcadia_cloud.kernel.console.theme import Checkbox, OneLineInput
from arcadia_cloud.kernel.errors import InvalidInput
from inventory.admin.formatting import dollars
from inventory.models import Resource
from inventory.queries import Owner, resolve_owner
from inventory.values import OPERATORS_RULES

MOST_AT_ONCE: Final = 2_000
_SHOWN: Final = 50  # of the selected resources, one by one
_LARGEST_ID: Final = 2**63 - 1
_MOST_DIGITS: Final = len(str(_LARGEST_ID))
_OWNERS: Final = "inventory-owners"  # the list of the combobox


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected resources as they are now. `owners` pairs each present owner with how many it has."""

    count: int
    cost: str
    unpriced: int
    gone: int
    assigned: int  # by an operator's word
    owners: list[tuple[str, int]]
    first: list[Resource]
    more: int


class SelectionForm(forms.Form):
    """The selected resources, and where to return to: the filtered list, or the resource's own page."""

    resources = forms.CharField(widget=forms.HiddenInput)
    filters = forms.CharField(required=False, widget=forms.HiddenInput)
    from_page = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean_resources(self) -> list[int]:
        """Read the ids. The page wrote them itself, so what doesn't fit is no operator's slip."""
        ids = self.cleaned_data["resources"].split(",")
        are_numbers = all(text.isdecimal() and len(text) <= _MOST_DIGITS for text in ids)
        if len(ids) > MOST_AT_ONCE or not are_numbers or max(map(int, ids)) > _LARGEST_ID:
            raise forms.ValidationError("This is not a selection of the list.")
        return [int(text) for text in ids]


class AssignForm(SelectionForm):
    """The new owner, of those that exist; a new tenant only on purpose."""

    owner = forms.CharField(
        label="Owner",
        widget=OneLineInput(
            attrs={
                "list": _OWNERS,
                "autocomplete": "off",
                "data-owners": reverse_lazy("admin:inventory_resource_owners"),
            }
        ),
        help_text="A tenant, as acme, or one of its deployments, as acme/shop.",
    )
    is_new_tenant = forms.BooleanField(
        label="It is a new tenant",
        required=False,
        widget=Checkbox,
        help_text="Else a tenant that nothing here knows is refused as a slip.",
    )

    def clean(self) -> dict[str, Any]:
        """Find the owner. A refusal stands at the field."""
        super().clean()
        data = self.cleaned_data
        if data.get("owner"):
            try:
                data["owner"] = resolve_owner(data["owner"], may_be_new=data["is_new_tenant"])
            except InvalidInput as refusal:
                self.add_error("owner", refusal.detail)
        return data

    @property
    def target(self) -> Owner:
        """The owner of a form that is valid."""
        found: Owner = self.cleaned_data["owner"]
        return found


def select(pks: Sequence[int]) -> Selection:
    """Read the facts that an operator decides by. Three queries."""
    chosen = Resource.objects.filter(pk__in=pks)
    figures = chosen.aggregate(
        count=Count("pk"),
        cost=Sum("monthly_price_cents"),
        unpriced=Count("pk", filter=Q(monthly_price_cents=None)),
        gone=Count("pk", filter=Q(deleted_at__isnull=False)),
        assigned=Count("pk", filter=Q(attributed_by__in=OPERATORS_RULES)),
    )
    owners = chosen.values_list("tenant_id").annotate(count=Count("pk")).order_by("-count", "tenant_id")
    first = chosen.select_related("deployment", "project").order_by("pk")[:_SHOWN]
    return Selection(
        count=figures["count"],
        cost=dollars(figures["cost"]),
        unpriced=figures["unpriced"],
        gone=figures["gone"],
        assigned=figures["assigned"],
        owners=[(tenant or "no tenant", count) for tenant, count in owners],
        first=list(first),
        more=max(0, figures["count"] - _SHOWN),
    )
