"""The console's terms of metering: set for days that are to come, never changed for those that have begun."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.errors import DomainError
from catalog.values.kinds import BillingKind
from metering.models import MeteringConfig
from metering.services import check_metering_terms, set_metering_terms
from metering.values import Granularity, MeteringTerms


class TermsForm(forms.ModelForm[MeteringConfig]):
    """Terms to set; what the service would refuse is shown at its field."""

    def clean(self) -> dict[str, Any]:
        # Asked before it is stored: a refusal belongs to its field, not to an error page.
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_metering_terms(_terms(cleaned), cleaned["effective_from"], at=timezone.now())
            except DomainError as error:
                raise ValidationError(dict(error.errors)) from error
        return cleaned


@admin.register(MeteringConfig)
class MeteringConfigAdmin(EditorAdmin[MeteringConfig]):
    """Terms by kind; a kind, or a day, without any is metered daily and kept for two years."""

    form = TermsForm
    list_display = ("resource_kind", "effective_from", "granularity", "retention_days", "set_by", "set_at")
    list_filter = ("resource_kind",)
    ordering = ("resource_kind", "-effective_from")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": ("resource_kind", "granularity", "retention_days", "effective_from"),
                "description": "Terms count from the start of their first day, UTC, which must be to "
                "come, until the next ones of the kind. Usage that is older than its days is deleted, "
                "but never that of this month and the last.",
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: MeteringConfig, form: Any, change: bool) -> None:
        stored = set_metering_terms(
            kind=BillingKind(obj.resource_kind),
            terms=_terms(form.cleaned_data),
            effective_from=obj.effective_from,
            actor=actor_of(request),
            at=timezone.now(),
        )
        obj.pk = stored.pk


def _terms(values: dict[str, Any]) -> MeteringTerms:
    return MeteringTerms(Granularity(values["granularity"]), values["retention_days"])
