"""The console's list of sagas, and a page for each that refreshes while the saga lives."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.filters import TenantFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, json_block, link, row_link, shortened
from arcadia_cloud.kernel.console.status_label import status_label
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.subject_links import url_of
from inventory.models import Resource
from provisioning.admin.actions import SagaActionsAdmin
from provisioning.admin.filters import KindFilter, StatusFilter
from provisioning.admin.formatting import (
    STATUS_COLOURS,
    duration_label,
    progress_label,
    status_reason,
    status_text,
    timeline,
    worker_label,
)
from provisioning.models import SagaRun
from provisioning.queries import pause_state
from provisioning.states import LIVE

_LARGEST_ID: Final = 2**63 - 1


@admin.register(SagaRun)
class SagaRunAdmin(SagaActionsAdmin):
    """Sagas, newest first."""

    change_form_template = "provisioning/saga.html"
    list_before_template = "provisioning/saga_list_notice.html"
    list_display = (
        "title", "status_badge", "about", "progress", "requested_by", "created_at", "duration",
    )  # fmt: skip
    list_filter = (StatusFilter, KindFilter, TenantFilter)
    search_fields = ("subjects",)
    search_help_text = "A saga's number, or a whole subject, as droplet:4711"
    sortable_by = ()
    # What never changes: htmx can't take the form over as the saga goes on, its scripts would run again.
    fields = (("kind", "works_on"), ("requested_by", "created_at"), ("tenant_id", "deployment"), "repeats")
    readonly_fields = ("works_on", "repeats")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SagaRun]:
        """Leave out of the list what only a saga's page shows."""
        sagas = super().get_queryset(request)
        here = request.resolver_match
        if here is not None and here.url_name == "provisioning_sagarun_changelist":
            return sagas.defer("inputs", "context")
        return sagas.select_related("deployment")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SagaRun], search_term: str
    ) -> tuple[QuerySet[SagaRun], bool]:
        """Search by number and by subject: both have an index."""
        term = search_term.strip()
        if term:
            found = Q(subjects__contains=[term])
            if term.isdecimal() and int(term) <= _LARGEST_ID:
                found |= Q(pk=int(term))
            queryset = queryset.filter(found)
        return queryset, False

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """Return the one of both that can be done now."""
        unfit = "pause_all" if pause_state().paused else "lift_pause"
        known = super().get_actions_list(request)  # type: ignore[misc]  # the theme's, which has no types
        return [one for one in known if one.path != unfit]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the pause, and the way to a start."""
        own = {"brake": pause_state(), "may_start": self.has_start_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **own})

    def extra_context(self, request: HttpRequest, row: SagaRun) -> dict[str, Any]:
        """Add its status and its timeline."""
        now = timezone.now()
        return {
            "saga": row,
            "is_live": row.status in LIVE,
            "status": status_label(status_text(row), STATUS_COLOURS),
            "progress": progress_label(row),
            "duration": duration_label(row, now=now),
            "reason": status_reason(row),
            "worker": worker_label(row),
            "brake": pause_state(),
            "may_pause": self.has_pause_permission(request),
            "timeline": timeline(row, now=now),
            "inputs": json_block(row.inputs),
            "saga_context": json_block(row.context),
            "retries": list(row.retries.order_by("pk")),
        }

    @display(description="saga")
    def title(self, saga: SagaRun) -> str:
        return f"{saga.kind} {saga.pk}"

    @display(description="status", label=STATUS_COLOURS)
    def status_badge(self, saga: SagaRun) -> str:
        return status_text(saga)

    @display(description="works on")
    def about(self, saga: SagaRun) -> str:
        return ", ".join(saga.subjects) or NOTHING

    @display(description="works on")
    def works_on(self, saga: SagaRun) -> SafeString:
        """Return its subjects, each as a link to its page where it has one. One query."""
        keys = [subject.partition(":") for subject in saga.subjects]
        rows = Resource.objects.filter(
            kind__in={kind for kind, _, _ in keys}, provider_id__in={name for _, _, name in keys}
        )
        found = {f"{row.kind}:{row.provider_id}": row for row in rows}
        parts: list[tuple[str]] = []
        for subject in saga.subjects:
            row, page = found.get(subject), url_of(subject)
            if row is not None:
                parts.append((row_link("inventory_resource", row.pk, row),))
            else:
                parts.append((link(page, subject) if page else subject,))
        return format_html_join(", ", "{}", parts) or SafeString(NOTHING)

    @display(description="took")
    def duration(self, saga: SagaRun) -> str:
        return duration_label(saga, now=timezone.now())

    @display(description="progress")
    def progress(self, saga: SagaRun) -> str:
        parts = (progress_label(saga), status_reason(saga))
        return shortened(". ".join(part for part in parts if part not in {"", NOTHING}))

    @display(description="repeats")
    def repeats(self, saga: SagaRun) -> str:
        if saga.retry_of_id is None:
            return NOTHING
        return row_link("provisioning_sagarun", saga.retry_of_id, f"saga {saga.retry_of_id}")
