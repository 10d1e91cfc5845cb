"""The drift inbox: open differences by cause and by age, and a page for each with its actions."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.formatting import NOTHING, or_nothing, row_link
from arcadia_cloud.kernel.console.theme import DialogForm, action, display
from drift.admin.coverage import CoverageAdmin
from drift.admin.differences import as_text, expected_and_actual
from drift.admin.filters import AgeFilter, CauseFilter, FieldFilter, KindFilter, StatusFilter, TenantFilter
from drift.admin.forms import IgnoreForm, NoteForm, snooze_end
from drift.admin.resolve import ResolveAdmin, row_context
from drift.models import Drift
from drift.queries import list_causes, summarize_drift
from drift.services import accept_drift, ignore_drift, revert_drift
from drift.states import DriftStatus
from drift.values import EXISTS
from provisioning.queries import reason_against
from provisioning.services import refresh_offer
from provisioning.states import LIVE

_CAUSES_SHOWN: Final = 12
_COLOURS: Final = {
    "open": "warning",
    "being put back": "info",
    DriftStatus.ACCEPTED: "success",
    DriftStatus.REVERTED: "success",
}


@admin.register(Drift)
class DriftAdmin(CoverageAdmin, ResolveAdmin):
    """Differences between desired and live state, newest first."""

    change_form_template = "drift/drift.html"
    list_before_template = "drift/inbox_head.html"
    logged_fields = ("status",)
    list_display = (
        "of", "tenant", "kind", "field", "expected_value", "actual_value", "status_badge", "detected_at",
    )  # fmt: skip
    list_display_links = ("field",)
    list_filter = (StatusFilter, KindFilter, FieldFilter, TenantFilter, AgeFilter, CauseFilter)
    list_select_related = ("resource", "revert_saga")
    search_fields = ("resource__provider_id__exact", "resource__name__startswith")
    search_help_text = "A whole provider's id, or how the resource's name begins"
    sortable_by = ()
    fields = (
        ("of", "tenant"), ("kind", "field"), ("status_badge", "detected_at"), ("resolved_by", "resolved_at"),
        ("note", "saga"),
    )  # fmt: skip
    readonly_fields = ("of", "tenant", "status_badge", "saga")
    actions_detail = ("accept_this", "revert_this", "ignore_this")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drift]:
        return super().get_queryset(request).select_related("resource", "revert_saga")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Return none for the page's head: the page has those that fit."""
        return []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the counts, and the open rows by cause."""
        causes = [
            (
                group,
                *(
                    ("exists", "gone")
                    if group.field == EXISTS
                    else (as_text(group.expected), as_text(group.actual))
                ),
            )
            for group in list_causes(limit=_CAUSES_SHOWN)
        ]
        own = {
            "summary": summarize_drift(),
            "causes": causes,
            "may_resolve": self.has_resolve_permission(request),
            "cause": request.GET.get("cause", ""),
        }
        return super().changelist_view(request, {**(extra_context or {}), **own})

    def extra_context(self, request: HttpRequest, row: Drift) -> dict[str, Any]:
        """Add both values, and the actions that fit."""
        return {
            "drift": row,
            **row_context(row),
            "buttons": self.available_actions(request, row),
        }

    def available_actions(self, request: HttpRequest, drift: Drift) -> list[Button]:
        """Return the buttons that fit the row; none while a saga puts it back."""
        if not self.has_resolve_permission(request) or drift.status != DriftStatus.OPEN or _is_moving(drift):
            return []
        can_revert = not reason_against(drift.kind, drift.field)
        return self.buttons(drift, {"accept_this": True, "revert_this": can_revert, "ignore_this": True})

    @action(
        description="Accept",
        permissions=["resolve"],
        icon="check",
        dialog={
            "title": "Accept the live value?",
            "description": "It becomes the desired one. What is gone is no longer desired at all.",
            "form_class": NoteForm,
            "form_submit_text": "Accept",
        },
    )
    def accept_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Accept the row of this page."""
        return self._resolve(request, object_id, accept_drift, "Accepted", note=form.cleaned_data["note"])

    @action(
        description="Revert",
        permissions=["resolve"],
        icon="undo",
        dialog={
            "title": "Put it back to what is desired?",
            "description": "A saga does so; a change of size switches the droplet off meanwhile. The row is "
            "closed by the sweep after that.",
            "form_class": NoteForm,
            "form_submit_text": "Revert",
        },
    )
    def revert_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Start the saga that puts back the row of this page."""
        refresh_offer(kind="revert_drift")
        return self._resolve(
            request, object_id, revert_drift, "Being put back", note=form.cleaned_data["note"]
        )

    @action(
        description="Ignore",
        permissions=["resolve"],
        icon="notifications_paused",
        dialog={
            "title": "Ignore this difference?",
            "description": "A rule leaves this field of this resource out of the inbox.",
            "form_class": IgnoreForm,
            "form_submit_text": "Ignore",
        },
    )
    def ignore_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Make the rule for the row of this page."""
        until = snooze_end(form.cleaned_data["days"], at=timezone.now())
        reason = form.cleaned_data["reason"]
        return self._resolve(request, object_id, ignore_drift, "Ignored", reason=reason, expires_at=until)

    def _resolve(
        self, request: HttpRequest, object_id: str, service: Callable[..., Drift], done: str, **words: Any
    ) -> HttpResponse:
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: service(drift_pk=pk, actor=actor, at=timezone.now(), **words),
            logged=f"{done} from the console.",
            message=f"{done}.",
        )

    @display(description="resource")
    def of(self, drift: Drift) -> str:
        return row_link("inventory_resource", drift.resource_id, drift.resource.name)

    @display(description="tenant")
    def tenant(self, drift: Drift) -> str:
        return or_nothing(drift.resource.tenant_id)

    @display(description="expected")
    def expected_value(self, drift: Drift) -> str:
        return format_html('<div class="console-change">{}</div>', expected_and_actual(drift)[0])

    @display(description="actual")
    def actual_value(self, drift: Drift) -> str:
        return format_html('<div class="console-change">{}</div>', expected_and_actual(drift)[1])

    @display(description="status", label=_COLOURS)
    def status_badge(self, drift: Drift) -> str:
        return "being put back" if _is_moving(drift) else drift.status

    @display(description="saga")
    def saga(self, drift: Drift) -> str:
        if drift.revert_saga is None:
            return NOTHING
        saga = drift.revert_saga
        return row_link("provisioning_sagarun", saga.pk, f"saga {saga.pk}, {saga.status}")


def _is_moving(drift: Drift) -> bool:
    """Return whether a saga puts the row back now."""
    saga = drift.revert_saga
    return drift.status == DriftStatus.OPEN and saga is not None and saga.status in LIVE
