"""The console's cost anomalies: what costs something else than expected, why, and the dismissal."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.filters import ChoiceFilter, StateFilter, TenantFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, action, display
from arcadia_cloud.kernel.periods import Period
from billing.admin.formatting import anomaly_chart
from billing.admin.kinds import KindColumn
from billing.costs.anomalies.causes import LEAST_NAMED
from billing.costs.anomalies.sentence import format_change
from billing.models import CostAnomaly
from billing.queries import days_of_anomaly
from billing.services import LONGEST_REASON, dismiss_anomaly
from billing.states import AnomalyStatus
from billing.values import AnomalyDirection
from inventory.values import Kind

_COLOURS: Final[Mapping[str, str]] = {AnomalyStatus.OPEN: "warning", AnomalyStatus.DISMISSED: "info"}
_CHART: Final = chart_options(maxTicksLimit=12)
_AROUND: Final = timedelta(days=28)


class AnomalyStatusFilter(StateFilter):
    """Open rows unless others are asked for."""

    title = "status"
    parameter_name = "status"
    default = AnomalyStatus.OPEN
    options = AnomalyStatus.choices


class AnomalyDirectionFilter(ChoiceFilter):
    title = "direction"
    parameter_name = "direction"
    options = AnomalyDirection.choices


class AnomalyKindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = Kind.choices


class DismissForm(DialogForm):
    """The reason why the cost is right at this level."""

    reason = forms.CharField(label="Why", max_length=LONGEST_REASON, widget=OneLineInput)


@admin.register(CostAnomaly)
class CostAnomalyAdmin(KindColumn, RecordAdmin[CostAnomaly]):
    """Cost anomalies, the open ones, newest first; each has its cause and the days around it."""

    change_form_template = "billing/anomaly.html"
    logged_fields = ("status",)
    list_display = ("of", "kind_name", "difference_a_day", "began_on", "last_day", "cause", "status_badge")
    list_filter = (AnomalyStatusFilter, AnomalyDirectionFilter, AnomalyKindFilter, TenantFilter)
    list_select_related = ("deployment",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        ("of", "kind_name"), ("difference_a_day", "source"), ("began_on", "last_day"), "cause",
        ("status_badge", "end_reason"), ("detected_at", "ended_at"), ("dismissed_by", "dismissed_reason"),
    )  # fmt: skip
    readonly_fields = ("of", "kind_name", "difference_a_day", "status_badge")
    actions_detail = ("dismiss_this",)

    def extra_context(self, request: HttpRequest, row: CostAnomaly) -> dict[str, Any]:
        """Add the parts of the difference, and a chart of the days before and after."""
        today = timezone.now().date()
        days = Period(
            row.began_on - _AROUND, max(min(row.last_day + _AROUND, today), row.last_day + timedelta(1))
        )
        return {
            "parts": [
                (_part_links(part), format_change(amount))
                for part in row.parts
                # The stored parts sum exactly; what is left of the division is no cent.
                if abs(amount := Decimal(part["amount"])) >= LEAST_NAMED
            ],
            "difference": format_change(row.difference),
            "chart": anomaly_chart(days_of_anomaly(row, days), row),
            "chart_options": _CHART,
        }

    def available_actions(self, request: HttpRequest, row: CostAnomaly) -> list[Button]:
        """Return the button of an open one."""
        fits = self.has_dismiss_permission(request) and row.status == AnomalyStatus.OPEN
        return self.buttons(row, {"dismiss_this": fits})

    def has_dismiss_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may dismiss anomalies."""
        return request.user.has_perm("billing.change_costanomaly")

    @action(
        description="Dismiss",
        permissions=["dismiss"],
        icon="check",
        dialog={
            "title": "Dismiss this anomaly?",
            "description": "The cost is right at this level, and no anomaly any more. Another level is.",
            "form_class": DismissForm,
            "form_submit_text": "Dismiss",
        },
    )
    def dismiss_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Dismiss the anomaly of this page."""
        actor, reason = actor_of(request), form.cleaned_data["reason"]
        return self.run_action(
            request,
            object_id,
            lambda pk: dismiss_anomaly(anomaly_pk=pk, reason=reason, actor=actor, at=timezone.now()),
            logged=f"Dismissed from the console: {reason}",
            message="Dismissed.",
        )

    @display(description="of")
    def of(self, row: CostAnomaly) -> str:
        return row.subject

    @display(description="a day")
    def difference_a_day(self, row: CostAnomaly) -> str:
        return format_change(row.difference)

    @display(description="status", label=_COLOURS)
    def status_badge(self, row: CostAnomaly) -> str:
        return row.status


def _part_links(part: dict[str, Any]) -> str:
    """Return a part's text with links to its resource, its saga and the sync that saw it."""
    links = [
        row_link(page, part[key], words)
        for key, page, words in (
            ("resource_id", "inventory_resource", "resource"),
            ("saga_id", "provisioning_sagarun", "saga"),
            ("run_id", "inventory_syncrun", "sync"),
        )
        if part.get(key) is not None
    ]
    shown = format_html_join(", ", "{}", ((each,) for each in links)) or NOTHING
    return format_html("{} ({})", part["text"], shown) if links else format_html("{}", part["text"])
