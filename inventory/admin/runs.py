"""The console's sync runs: how each ended, how far a running one is, and a button that starts one."""

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
from inventory.admin.formatting import duration, progress, timeline
from inventory.models import ResourceEvent, SyncRun
from inventory.services import request_sync
from inventory.values import RunMode, RunOutcome

_EVENTS_SHOWN: Final = 100
_OUTCOME_COLOURS: Final = {
    "complete": "success",
    "failed": "danger",
    "suspicious": "warning",
    "running": "info",
}
_MODES: Final = (
    (RunMode.FULL, "every kind but the slow ones"),
    (RunMode.FAST, "droplets and databases only"),
    (RunMode.SLOW, "the slow kinds"),
)


class SyncNowForm(DialogForm):
    """Which kinds."""

    mode = forms.ChoiceField(label="What to sync", choices=_MODES, widget=ThemedSelect)


@admin.register(SyncRun)
class SyncRunAdmin(RecordAdmin[SyncRun]):
    """Every run, newest first. The list keeps itself up to date while one goes on."""

    change_form_template = "inventory/sync_run.html"
    list_before_template = "inventory/running_syncs.html"
    list_display = (
        "of", "mode", "how_it_ended", "started_at", "took", "seen", "discovered", "updated", "restored",
        "struck", "deleted", "why",
    )  # fmt: skip
    list_filter = (OutcomeFilter, RunKindFilter)
    sortable_by = ()
    # What never changes: htmx can't take the form over as the run goes on, its scripts would run again.
    fields = (("of", "mode"), ("requested_by", "started_at"))
    readonly_fields = ("of",)
    actions_list = ("sync_now",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add how far the running ones are."""
        runs = SyncRun.objects.filter(outcome=RunOutcome.RUNNING).order_by("kind")
        running = [progress(run) for run in runs]
        return super().changelist_view(request, {**(extra_context or {}), "running": running})

    def extra_context(self, request: HttpRequest, row: SyncRun) -> dict[str, Any]:
        """How it stands, and the newest of what it did."""
        source = f"run:{row.pk}"
        events = ResourceEvent.objects.filter(source=source).select_related("resource")
        outcome = self.how_it_ended(row)
        return {
            "run": row,
            "outcome": outcome,
            "outcome_colour": _OUTCOME_COLOURS.get(outcome, ""),
            "took": duration(row),
            "progress": progress(row) if row.outcome == RunOutcome.RUNNING else None,
            **timeline(events, newest=_EVENTS_SHOWN, rest=f"source={source}"),
        }

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Whether the user may start a sync: who may add a run, since nobody adds one by hand."""
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
            request_sync(mode=mode, requested_by=actor_of(request), must_reach_broker=True)
        except BrokerAway as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            log_without_row(request, SyncRun, f"{mode} sync", "Started from the console.")
            self.message_user(request, f"A worker was asked for a {mode} sync.", messages.SUCCESS)
        return redirect_to_list(SyncRun)

    @display(description="kind")
    def of(self, run: SyncRun) -> str:
        return run.kind_in_words

    @display(description="outcome", label=_OUTCOME_COLOURS)
    def how_it_ended(self, run: SyncRun) -> str:
        return run.outcome or str(RunOutcome.RUNNING.label)

    @display(description="took")
    def took(self, run: SyncRun) -> str:
        return duration(run)

    @display(description="in words")
    def why(self, run: SyncRun) -> str:
        if run.outcome == RunOutcome.RUNNING:
            return progress(run).words
        return shortened(run.error)
