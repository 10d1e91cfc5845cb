"""The console's operations pages: alerts to act on, leases to look at."""

from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.console.actions import Button, actor_of, redirect_to_list
from arcadia_cloud.kernel.console.filters import ChoiceFilter, StateFilter
from arcadia_cloud.kernel.console.formatting import link, shortened
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, action, display
from arcadia_cloud.kernel.models import Alert, Lease
from arcadia_cloud.kernel.subject_links import url_of


class OpenFilter(StateFilter):
    """Open alerts unless others are asked for."""

    title = "state"
    parameter_name = "state"
    default = "open"
    options = (("open", "Open"), ("resolved", "Resolved"), ("all", "All"))
    conditions: ClassVar = {
        "open": Q(resolved_at__isnull=True),
        "resolved": Q(resolved_at__isnull=False),
        "all": Q(),
    }


class SeverityFilter(ChoiceFilter):
    title = "severity"
    parameter_name = "severity"
    options = Alert.Severity.choices


@admin.register(Alert)
class AlertAdmin(RecordAdmin[Alert]):
    """Alerts, newest first. Resolving one stores the actor; what is still wrong raises it again."""

    change_form_template = "kernel/record.html"
    list_display = ("headline", "level", "about", "times_raised", "last_raised_at", "state")
    list_filter = (OpenFilter, SeverityFilter)
    search_fields = ("code", "subject", "message")
    search_help_text = "Code, subject or words of the message"
    ordering = ("-last_raised_at",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("message", "code", "level", "about", "details")}),
        (
            "When",
            {"fields": ("times_raised", "raised_at", "last_raised_at", "resolved_at", "resolved_by")},
        ),
    )
    readonly_fields = ("level", "about")
    actions = ("resolve_selected",)
    actions_detail = ("resolve_this",)

    @display(description="alert")
    def headline(self, alert: Alert) -> str:
        return shortened(alert.message)

    @display(description="about")
    def about(self, alert: Alert) -> str:
        address = url_of(alert.subject)
        return link(address, alert.subject) if address else alert.subject

    @display(description="severity", label={"warning": "warning", "critical": "danger"})
    def level(self, alert: Alert) -> str:
        return alert.severity

    @display(description="state", label={"open": "warning", "resolved": "success"})
    def state(self, alert: Alert) -> str:
        return "resolved" if alert.resolved_at else "open"

    def has_resolve_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may close alerts."""
        return request.user.has_perm("kernel.change_alert")

    def available_actions(self, request: HttpRequest, row: Alert) -> list[Button]:
        """Return the one that closes an open alert."""
        return self.buttons(
            row, {"resolve_this": row.resolved_at is None and self.has_resolve_permission(request)}
        )

    @admin.action(description="Resolve the selected alerts", permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Close the open ones of the selection."""
        resolved = sum(self._resolve(request, alert) for alert in queryset.order_by("pk"))
        self.message_user(request, f"{resolved} resolved.", messages.SUCCESS)

    @action(
        description="Resolve",
        permissions=["resolve"],
        icon="check",
        dialog={
            "title": "Resolve this alert?",
            "description": "What is still wrong will raise it again.",
            "form_submit_text": "Resolve",
        },
    )
    def resolve_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Close the alert of this page."""
        alert = self.get_object(request, object_id)
        if alert and self._resolve(request, alert):
            self.message_user(request, "Resolved.", messages.SUCCESS)
        else:
            self.message_user(request, "It was resolved before.", messages.WARNING)
        return redirect_to_list(Alert)

    def _resolve(self, request: HttpRequest, alert: Alert) -> bool:
        if alert.resolved_at is not None:
            return False
        resolved = resolve_alert(code=alert.code, subject=alert.subject, actor=actor_of(request))
        if resolved:
            self.log_change(request, alert, "Resolved from the console.")
        return resolved


@admin.register(Lease)
class LeaseAdmin(RecordAdmin[Lease]):
    """Leases: the work that one process at a time does, and its holder."""

    list_display = ("name", "holder", "acquired_at", "heartbeat_at", "expires_at")
    fields = ("name", "holder", "acquired_at", "heartbeat_at", "expires_at")
    ordering = ("name",)
    list_after_template = "kernel/leases_explained.html"
