"""The console's list of sagas, and a page for each that moves while the saga lives."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.theme import display
from provisioning.admin.filters import KindFilter, StatusFilter, TenantFilter
from provisioning.admin.hands import SettlingAdmin
from provisioning.admin.presenting import (
    NOTHING,
    STATUS_COLOURS,
    place,
    pretty,
    standing,
    timeline,
    took,
    why,
)
from provisioning.brakes import brake
from provisioning.models import SagaRun
from provisioning.states import LIVE

_LARGEST_ID: Final = 2**63 - 1
_SHORT: Final = 120


@admin.register(SagaRun)
class SagaRunAdmin(SettlingAdmin):
    """Sagas, newest first."""

    change_form_template = "console/saga.html"
    list_before_template = "console/sagas_paused.html"
    list_display = (
        "title", "stands", "about", "in_words", "requested_by", "created_at", "how_long",
    )  # fmt: skip
    list_filter = (StatusFilter, KindFilter, TenantFilter)
    search_fields = ("subjects",)
    search_help_text = "A saga's number, or a whole subject, as droplet:4711"
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("kind", "about"), ("requested_by", "repeats"), ("tenant_id", "deployment"),
                ),
            },
        ),
        (
            "When",
            {
                "fields": (
                    ("created_at", "started_at"), ("finished_at", "wake_at"), ("walked_by", "cancelled_by"),
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "about", "walked_by", "cancelled_by", "repeats",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[SagaRun]:
        """The list leaves out what only a saga's page shows."""
        sagas = super().get_queryset(request)
        here = request.resolver_match
        if here is not None and here.url_name == "provisioning_sagarun_changelist":
            return sagas.defer("inputs", "context")
        return sagas.select_related("deployment")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SagaRun], search_term: str
    ) -> tuple[QuerySet[SagaRun], bool]:
        """Both have an index."""
        term = search_term.strip()
        if term:
            found = Q(subjects__contains=[term])
            if term.isdecimal() and int(term) <= _LARGEST_ID:
                found |= Q(pk=int(term))
            queryset = queryset.filter(found)
        return queryset, False

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """The one of both that can be done now."""
        unfit = "pause_all" if brake().paused else "lift_pause"
        known = super().get_actions_list(request)  # type: ignore[misc]  # the theme's, which has no types
        return [one for one in known if one.path != unfit]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the pause."""
        return super().changelist_view(request, {**(extra_context or {}), "brake": brake()})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: SagaRun | None = None,
    ) -> HttpResponse:
        """Add the timeline and what can be done."""
        if obj is not None:
            context |= {
                "saga": obj,
                "is_live": obj.status in LIVE,
                "stands": _label(standing(obj)),
                "place": place(obj),
                "took": took(obj, now=timezone.now()),
                "why": why(obj),
                "brake": brake(),
                "may_pause": self.has_pause_permission(request),
                "hands": self.hands_of(request, obj),
                "timeline": timeline(obj, now=timezone.now()),
                "inputs": pretty(obj.inputs),
                "saga_context": pretty(obj.context),
                "retries": list(obj.retries.order_by("pk")),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @display(description="saga")
    def title(self, saga: SagaRun) -> str:
        return f"{saga.kind} {saga.pk}"

    @display(description="status", label=STATUS_COLOURS)
    def stands(self, saga: SagaRun) -> str:
        return standing(saga)

    @display(description="works on")
    def about(self, saga: SagaRun) -> str:
        return ", ".join(saga.subjects) or NOTHING

    @display(description="took")
    def how_long(self, saga: SagaRun) -> str:
        return took(saga, now=timezone.now())

    @display(description="in words")
    def in_words(self, saga: SagaRun) -> str:
        words = ". ".join(words for words in (place(saga), why(saga)) if words != NOTHING and words)
        return words if len(words) <= _SHORT else f"{words[: _SHORT - 1]}…"

    @display(description="walked by")
    def walked_by(self, saga: SagaRun) -> str:
        holder = (
            f"{saga.lease_holder}, until {saga.lease_expires_at:%H:%M:%S} UTC"
            if saga.lease_expires_at
            else ""
        )
        lost = f"taken over {saga.recoveries} times from a worker that died" if saga.recoveries else ""
        return "; ".join(words for words in (holder, lost) if words) or NOTHING

    @display(description="cancelled by")
    def cancelled_by(self, saga: SagaRun) -> str:
        if saga.cancel_requested_at is None:
            return NOTHING
        return f"{saga.cancel_requested_by} at {saga.cancel_requested_at:%Y-%m-%d %H:%M:%S} UTC"

    @display(description="repeats")
    def repeats(self, saga: SagaRun) -> str:
        if saga.retry_of_id is None:
            return NOTHING
        return format_html(
            '<a class="text-link" href="{}">saga {}</a>',
            reverse("admin:provisioning_sagarun_change", args=[saga.retry_of_id]),
            saga.retry_of_id,
        )


def _label(words: str) -> SafeString:
    looks = {"text": words, "variant": STATUS_COLOURS.get(words, "")}
    return render_to_string("unfold/helpers/label.html", looks)
