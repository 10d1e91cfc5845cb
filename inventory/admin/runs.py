"""The console's sync runs: each one's outcome, the progress of a running one, and a button to start one."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.console.actions import actor_of, log_without_row, redirect_to_list
from arcadia_cloud.kernel.console.formatting import shortened
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, ThemedSelect, action, display
from arcadia_cloud.kernel.queue.broker import BrokerAway
from inventory.admin.filters import OutcomeFilter, RunKindFilter
from inventory.admin.formatting import duration, timeline
from inventory.models import SyncRun
from inventory.queries import events_of_source, run_progress
from inventory.services import request_sync
from inventory.values import RunMode, RunOutcome

_EVENTS_SHOWN: Final = 100
_OUTCOME_COLOURS: Final = {
    "complete": "success",
    "failed": "danger",
    "suspicious": "warning",
    "interrupted": "warning",
    "running": "info",
}
_MODES: Final = (
    (RunMode.FULL, "every kind but the slow ones"),
    (RunMode.FAST, "droplets and databases only"),
    (RunMode.SLOW, "the slow kinds"),
)


class SyncNowForm(DialogForm):
    """The schedule whose kinds are synced."""

    mode = forms.ChoiceField(label="What to sync", choices=_MODES, widget=ThemedSelect)


@admin.register(SyncRun)
class SyncRunAdmin(RecordAdmin[SyncRun]):
    """Every run, newest first. The list keeps itself up to date while one runs."""

    change_form_template = "inventory/sync_run.html"
    list_before_template = "inventory/running_syncs.html"
    list_display = (
        "of", "mode", "outcome_label", "started_at", "took", "seen", "discovered", "updated", "restored",
        "struck", "deleted", "message",
    )  # fmt: skip
    list_filter = (OutcomeFilter, RunKindFilter)
    sortable_by = ()
    # Only what never changes: htmx can't take the form over as the run goes on, its scripts would run again.
    fields = (("of", "mode"), ("requested_by", "started_at"))
    readonly_fields = ("of",)
    actions_list = ("sync_now",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the progress of the running ones."""
        runs = SyncRun.objects.filter(outcome=RunOutcome.RUNNING).order_by("kind")
        running = [run_progress(run) for run in runs]
        return super().changelist_view(request, {**(extra_context or {}), "running": running})

    def extra_context(self, request: HttpRequest, row: SyncRun) -> dict[str, Any]:
        """Add its progress, and the newest of its events."""
        source = f"run:{row.pk}"
        events = events_of_source(source).select_related("resource")
        outcome = self.outcome_label(row)
        return {
            "run": row,
            "outcome": outcome,
            "outcome_colour": _OUTCOME_COLOURS.get(outcome, ""),
            "took": duration(row),
            "progress": run_progress(row) if row.outcome == RunOutcome.RUNNING else None,
            **timeline(events, newest=_EVENTS_SHOWN, rest=f"source={source}"),
        }

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Check whether the user may start a sync: the right to add a run, since none is added by hand."""
        return request.user.has_perm("inventory.add_syncrun")

    @action(
        description="Sync now",
        permissions=["start"],
        icon="sync",
        dialog={
            "title": "Sync now",
            "description": "A worker reads the provider now, beside the schedule. A kind that is being "
            "synced already is left to the run that does it.",
            "form_class": SyncNowForm,
            "form_submit_text": "Start",
        },
    )
    def sync_now(self, request: HttpRequest, form: DialogForm) -> HttpResponse:
        """Ask a worker to sync."""
        mode = RunMode(form.cleaned_data["mode"])
        try:
            request_sync(mode=mode, actor=actor_of(request), must_reach_broker=True)
        except BrokerAway as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            log_without_row(request, SyncRun, f"{mode} sync", "Started from the console.")
            self.message_user(request, f"A worker was asked for a {mode} sync.", messages.SUCCESS)
        return redirect_to_list(SyncRun)

    @display(description="kind")
    def of(self, run: SyncRun) -> str:
        return run.kind_label

    @display(description="outcome", label=_OUTCOME_COLOURS)
    def outcome_label(self, run: SyncRun) -> str:
        return run.outcome or str(RunOutcome.RUNNING.label)

    @display(description="took")
    def took(self, run: SyncRun) -> str:
        return duration(run)

    @display(description="message")
    def message(self, run: SyncRun) -> str:
        if run.outcome == RunOutcome.RUNNING:
            return run_progress(run).caption
        return shortened(run.error)
