"""The console's operations pages: alerts to act on, leases to look at."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.alerts import LONGEST_NOTE, note_alert, resolve_alert, snooze_alert, take_alert
from arcadia_cloud.kernel.console.actions import Button, actor_of, redirect_to_list
from arcadia_cloud.kernel.console.filters import ChoiceFilter, StateFilter
from arcadia_cloud.kernel.console.formatting import link, or_nothing, shortened
from arcadia_cloud.kernel.console.lookups import is_key_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, ManyLinesInput, ThemedSelect, action, display
from arcadia_cloud.kernel.models import Alert, Lease
from arcadia_cloud.kernel.runbooks import runbook_of
from arcadia_cloud.kernel.subject_links import url_of


class OpenFilter(StateFilter):
    """Open alerts unless others are asked for; the snoozed ones are among them."""

    title = "state"
    parameter_name = "state"
    default = "open"
    options = (
        ("open", "Open"),
        ("awake", "Open, not snoozed"),
        ("snoozed", "Snoozed"),
        ("resolved", "Resolved"),
        ("all", "All"),
    )
    conditions: ClassVar = {
        "open": Q(resolved_at__isnull=True),
        "awake": Q(resolved_at__isnull=True) & (Q(snoozed_until=None) | Q(snoozed_until__lte=Now())),
        "snoozed": Q(resolved_at__isnull=True, snoozed_until__gt=Now()),
        "resolved": Q(resolved_at__isnull=False),
        "all": Q(),
    }


class SeverityFilter(ChoiceFilter):
    title = "severity"
    parameter_name = "severity"
    options = Alert.Severity.choices


class SnoozeForm(DialogForm):
    """The time for which the alert is kept off the home page."""

    hours = forms.TypedChoiceField(
        label="For",
        coerce=int,
        choices=[(1, "an hour"), (4, "four hours"), (24, "a day"), (168, "a week")],
        widget=ThemedSelect,
    )


class NoteForm(DialogForm):
    """The note, as it is now."""

    note = forms.CharField(label="Note", max_length=LONGEST_NOTE, required=False, widget=ManyLinesInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        object_id = str(kwargs["object_id"])  # from the address: it may be anything
        alert = Alert.objects.filter(pk=object_id).first() if is_key_of(Alert, object_id) else None
        self.fields["note"].initial = alert.note if alert else ""


@admin.register(Alert)
class AlertAdmin(RecordAdmin[Alert]):
    """Alerts, critical ones first, then the oldest. What is still wrong raises a resolved one again."""

    change_form_template = "kernel/alert.html"
    logged_fields = ("owner", "snoozed_until")
    list_display = ("headline", "level", "about", "raised_at", "times_raised", "owner", "state")
    list_filter = (OpenFilter, SeverityFilter)
    search_fields = ("code", "subject", "message", "owner")
    search_help_text = "Code, subject, owner or words of the message"
    ordering = ("severity", "raised_at", "pk")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("message", "code", "level", "about", "owner", "note", "details")}),
        (
            "When",
            {
                "fields": (
                    "times_raised", "raised_at", "last_raised_at",
                    "snoozed_until", "resolved_at", "resolved_by",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = ("level", "about")
    actions = ("resolve_selected",)
    actions_detail = ("take_this", "snooze_this", "note_this", "resolve_this")

    def extra_context(self, request: HttpRequest, row: Alert) -> dict[str, Any]:
        return {
            "alert": row,
            "runbook": runbook_of(row.code),
            "subject_address": url_of(row.subject),
            "deliveries": row.deliveries.order_by("created_at", "pk"),
        }

    def available_actions(self, request: HttpRequest, row: Alert) -> list[Button]:
        if row.resolved_at or not self.has_resolve_permission(request):
            return []
        is_theirs = row.owner == actor_of(request)
        return self.buttons(
            row, {"take_this": not is_theirs, "snooze_this": True, "note_this": True, "resolve_this": True}
        )

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
        if alert.resolved_at:
            return "resolved"
        return "snoozed" if alert.snoozed_until and alert.snoozed_until > timezone.now() else "open"

    def has_resolve_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may take, snooze and close alerts."""
        return request.user.has_perm("kernel.change_alert")

    @admin.action(description="Resolve the selected alerts", permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Close the open ones of the selection."""
        resolved = sum(self._resolve(request, alert) for alert in queryset.order_by("pk"))
        self.message_user(request, f"{resolved} resolved.", messages.SUCCESS)

    @action(
        description="Take",
        permissions=["resolve"],
        icon="person",
        dialog={
            "title": "Take this alert?",
            "description": "You become its owner: the others see that you work on it.",
            "form_submit_text": "Take",
        },
    )
    def take_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Make the user its owner."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: take_alert(pk, actor=actor),
            logged="Taken from the console.",
            message="It is yours.",
        )

    @action(
        description="Snooze",
        permissions=["resolve"],
        icon="snooze",
        dialog={
            "title": "Snooze this alert?",
            "description": "It stays open and leaves the home page for that time. You become its owner. It "
            "comes back at once when it becomes critical.",
            "form_class": SnoozeForm,
            "form_submit_text": "Snooze",
        },
    )
    def snooze_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Keep it off the home page."""
        actor, at = actor_of(request), timezone.now()
        until = at + timedelta(hours=form.cleaned_data["hours"])
        return self.run_action(
            request,
            object_id,
            lambda pk: snooze_alert(pk, until=until, at=at, actor=actor),
            logged="Snoozed from the console.",
            message=f"Snoozed until {until:%Y-%m-%d %H:%M} UTC.",
        )

    @action(
        description="Note",
        permissions=["resolve"],
        icon="edit_note",
        dialog={
            "title": "Note on this alert",
            "description": "The other operators read it.",
            "form_class": NoteForm,
            "form_submit_text": "Keep",
        },
    )
    def note_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Replace its note."""
        note = form.cleaned_data["note"]
        return self.run_action(
            request,
            object_id,
            lambda pk: note_alert(pk, note=note),
            logged=f"note: {or_nothing(form.fields['note'].initial)} → {or_nothing(note)}",
            message="Noted.",
        )

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
