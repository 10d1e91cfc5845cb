"""The console's pages of bandwidth: what was measured, and where each deployment's comes from."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.formatting import or_nothing, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.money import exact_text
from metering.models import BandwidthMeasurement, BandwidthSource
from metering.services import check_bandwidth_source, set_bandwidth_source
from metering.values import BandwidthOrigin


class BandwidthSourceForm(forms.ModelForm[BandwidthSource]):
    """A source to set; what the service would refuse is shown at its field."""

    def clean(self) -> dict[str, Any]:
        # Asked before it is stored: a refusal belongs to its field, not to an error page.
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_bandwidth_source(cleaned["deployment"].pk, cleaned["effective_from"], at=timezone.now())
            except DomainError as error:
                raise ValidationError(dict(error.errors)) from error
        return cleaned


@admin.register(BandwidthSource)
class BandwidthSourceAdmin(EditorAdmin[BandwidthSource]):
    """Sources of deployments' bandwidth; one that has none gets it from the provider."""

    form = BandwidthSourceForm
    list_display = ("deployment", "source", "effective_from", "set_by", "set_at")
    list_select_related = ("deployment",)
    raw_id_fields = ("deployment",)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": ("deployment", "source", "effective_from"),
                "description": "The provider's monitoring measures droplets, usage events are sent to "
                "the API. The source counts from the start of its first day, UTC: no day has both.",
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: BandwidthSource, form: Any, change: bool) -> None:
        stored = set_bandwidth_source(
            deployment_pk=obj.deployment_id,
            source=BandwidthOrigin(obj.source),
            effective_from=obj.effective_from,
            actor=actor_of(request),
            at=timezone.now(),
        )
        obj.pk = stored.pk


@admin.register(BandwidthMeasurement)
class BandwidthMeasurementAdmin(RecordAdmin[BandwidthMeasurement]):
    """Measurements of each droplet and day, the latest first."""

    list_display = ("day", "droplet", "sent", "covered", "reason", "measured_at")
    list_select_related = ("resource",)
    sortable_by = ()
    fields = ("day", "droplet", "sent", "covered", "samples", "reason", "measured_at")
    readonly_fields = ("droplet", "sent", "covered", "reason")

    @display(description="droplet")
    def droplet(self, row: BandwidthMeasurement) -> str:
        return row_link("inventory_resource", row.resource_id, row.resource)

    @display(description="sent, GB")
    def sent(self, row: BandwidthMeasurement) -> str:
        return exact_text(row.gigabytes, places=0)

    @display(description="covered by samples")
    def covered(self, row: BandwidthMeasurement) -> str:
        return f"{row.coverage:.2%}"

    @display(description="no answer")
    def reason(self, row: BandwidthMeasurement) -> str:
        return or_nothing(row.note)
