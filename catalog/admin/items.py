"""The items of a version on its page: the terms of each kind, written while the version is a draft."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest

from arcadia_cloud.kernel.console.theme import ThemedStackedInline
from catalog.models import PlanItem, PlanVersion
from catalog.states import VersionStatus


class PlanItemForm(forms.ModelForm[PlanItem]):
    """The terms of one kind. What makes no price is refused by the row's own rules."""

    class Meta:
        model = PlanItem
        fields = (
            "resource_kind", "included_qty", "price_model", "overage_unit", "overage_price_cents", "tiers",
            "hard_cap_qty", "minimum_cents", "maximum_cents",
        )  # fmt: skip
        labels: ClassVar[dict[str, str]] = {
            "resource_kind": "Kind",
            "included_qty": "Included",
            "overage_price_cents": "Price, in cents",
            "overage_unit": "Price is per",
            "hard_cap_qty": "Hard cap",
            "minimum_cents": "Minimum spend, in cents",
            "maximum_cents": "Maximum spend, in cents",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "overage_price_cents": "Of what is over the allowance. Empty: tiers, or the resource prices.",
            "tiers": "Of the tiered models, the last one without an end: "
            '[{"up_to": "100", "unit_price_cents": "2", "flat_fee_cents": "0"}, {"unit_price_cents": "1.5"}]',
            "hard_cap_qty": "Of the whole usage, the allowance included. What is beyond isn't charged.",
        }

    def full_clean(self) -> None:
        """Move errors of the whole row to its price model: the theme shows no row's own errors in a list."""
        super().full_clean()
        of_row = self.errors.pop(NON_FIELD_ERRORS, None)
        if of_row:
            self.errors.setdefault("price_model", self.error_class()).extend(of_row)


class PlanItemInline(ThemedStackedInline[PlanItem, PlanVersion]):
    """The items of a version: written while it is a draft."""

    model = PlanItem
    form = PlanItemForm
    extra = 0
    fields = (
        ("resource_kind", "included_qty", "hard_cap_qty"),
        ("price_model", "overage_price_cents", "overage_unit"),
        "tiers",
        ("minimum_cents", "maximum_cents"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and is_draft(obj)


def is_draft(version: PlanVersion | None) -> bool:
    """Return whether there is a version that may still be written."""
    return version is not None and version.status == VersionStatus.DRAFT
