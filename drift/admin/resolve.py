"""The console's bulk actions on drift, behind a page that shows what will happen.

The page carries the selected rows themselves, each with the cause that the operator saw: what has moved
meanwhile is refused, row by row.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.errors import InvalidInput
from drift.admin.differences import expected_and_actual
from drift.admin.forms import MOST_AT_ONCE, SelectionForm, form_for, snooze_end
from drift.models import Drift
from drift.services import act_on_many
from drift.values import EXISTS, ActionResult, DriftAction
from provisioning.queries import reason_against, reversals_of
from provisioning.services import refresh_offer

_SHOWN: Final = 50  # of the selected rows, one by one
_REFUSALS_SHOWN: Final = 5
_TITLES: Final[Mapping[str, str]] = {
    DriftAction.ACCEPT: "Accept the live values",
    DriftAction.REVERT: "Put back to what is desired",
    DriftAction.IGNORE: "Ignore, or snooze",
}


@dataclass(frozen=True, slots=True)
class SelectedRow:
    """A selected row, and what will happen to it; `refused` where nothing will."""

    drift: Drift
    expected: SafeString
    actual: SafeString
    outcome: str
    refused: bool


class ResolveAdmin(RecordAdmin[Drift]):
    """Adds the bulk actions to the inbox."""

    actions = ("accept_selected", "revert_selected", "ignore_selected")

    def get_urls(self) -> list[URLPattern]:
        """Add the page behind the actions."""
        view = self.admin_site.admin_view
        return [path("resolve/", view(self.resolve_view), name="drift_drift_resolve"), *super().get_urls()]

    def has_resolve_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may accept, revert and ignore. A row is never edited."""
        return request.user.has_perm("drift.change_drift")

    @admin.action(description="Accept…", permissions=["resolve"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[Drift]) -> HttpResponse | None:
        """Show what will be accepted."""
        return self._ask(request, DriftAction.ACCEPT, queryset)

    @admin.action(description="Revert…", permissions=["resolve"])
    def revert_selected(self, request: HttpRequest, queryset: QuerySet[Drift]) -> HttpResponse | None:
        """Show what will be put back."""
        return self._ask(request, DriftAction.REVERT, queryset)

    @admin.action(description="Ignore or snooze…", permissions=["resolve"])
    def ignore_selected(self, request: HttpRequest, queryset: QuerySet[Drift]) -> HttpResponse | None:
        """Show what will be ignored."""
        return self._ask(request, DriftAction.IGNORE, queryset)

    def resolve_view(self, request: HttpRequest) -> HttpResponse:
        """Show what will happen to a cause's rows, or do what the page has shown."""
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            # A link of a group: its open rows, as they are now.
            action, cause = request.GET.get("action", ""), request.GET.get("cause", "")
            if action not in _TITLES:
                return self._back("")
            rows = Drift.objects.open().filter(cause=cause)
            return self._ask(request, DriftAction(action), rows) or self._back("")
        form = form_for(request.POST.get("action", ""), request.POST)
        is_valid = form.is_valid()
        causes: dict[int, str] | None = form.cleaned_data.get("rows")
        if causes is None or "action" not in form.cleaned_data:
            self.message_user(request, "Select rows in the inbox first.", messages.WARNING)
            return self._back("")
        action = DriftAction(form.cleaned_data["action"])
        if not is_valid:
            return self._page(request, action, form, causes)
        if action == DriftAction.REVERT:
            refresh_offer(kind="revert_drift")  # outside any transaction: it may call the provider
        at = timezone.now()
        try:
            results = act_on_many(
                action=action,
                drift_pks=list(causes),
                actor=actor_of(request),
                at=at,
                reason=form.cleaned_data["reason"],
                expires_at=snooze_end(form.cleaned_data.get("days", "0"), at=at),
                causes=causes,
            )
        except InvalidInput as refusal:
            form.add_error(None, refusal.detail)
            return self._page(request, action, form, causes)
        self._report(request, action, results)
        return self._back(form.cleaned_data["filters"])

    def _ask(
        self, request: HttpRequest, action: DriftAction, queryset: QuerySet[Drift]
    ) -> HttpResponse | None:
        rows = list(queryset.order_by("pk").values_list("pk", "cause")[: MOST_AT_ONCE + 1])
        if not rows:
            self.message_user(request, "None of them is open any more.", messages.WARNING)
            return None
        if len(rows) > MOST_AT_ONCE:
            message = f"The first {MOST_AT_ONCE} are shown; the rest comes after them."
            self.message_user(request, message, messages.WARNING)
        # The causes travel with the page: a row whose values move meanwhile is refused.
        causes = dict(rows[:MOST_AT_ONCE])
        filters = "" if "cause" in request.GET and "action" in request.GET else request.GET.urlencode()
        initial = {
            "action": str(action),
            "rows": ",".join(f"{pk}:{cause}" for pk, cause in causes.items()),
            "filters": filters,
        }
        return self._page(request, action, form_for(action, initial=initial), causes)

    def _page(
        self, request: HttpRequest, action: DriftAction, form: SelectionForm, causes: Mapping[int, str]
    ) -> TemplateResponse:
        """Draw the page that shows what will happen."""
        drift = list(Drift.objects.filter(pk__in=causes).select_related("resource").order_by("pk"))
        rows = [SelectedRow(row, *expected_and_actual(row), *_outcome(action, row)) for row in drift]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _TITLES[action],
            "form": form,
            "rows": rows[:_SHOWN],
            "more": max(0, len(rows) - _SHOWN),
            "outcomes": Counter(row.outcome for row in rows if not row.refused).most_common(),
            "refusals": Counter(row.outcome for row in rows if row.refused).most_common(),
            "resources": len({row.resource_id for row in drift}),
            "count": len(rows),
            "doable": sum(not row.refused for row in rows),
            "list": reverse("admin:drift_drift_changelist"),
        }
        return TemplateResponse(request, "drift/resolve.html", context)

    def _report(self, request: HttpRequest, action: DriftAction, results: Iterable[ActionResult]) -> None:
        """Log what was done, and show what was refused."""
        outcomes = list(results)
        done = [each.pk for each in outcomes if not each.code]
        refusals = [each.detail for each in outcomes if each.code]
        for row in Drift.objects.filter(pk__in=done).order_by("pk"):
            self.log_change(request, row, f"{str(action).capitalize()} from the console.")
        for detail in refusals[:_REFUSALS_SHOWN]:
            self.message_user(request, detail, messages.ERROR)
        if len(refusals) > _REFUSALS_SHOWN:
            more = len(refusals) - _REFUSALS_SHOWN
            self.message_user(request, f"{more} more were refused.", messages.ERROR)
        if action == DriftAction.REVERT:
            sagas = len({each.saga_id for each in outcomes if each.saga_id is not None})
            message = f"{len(done)} are being put back by {sagas} sagas; the sweep after that closes them."
        else:
            message = f"{len(done)} {'accepted' if action == DriftAction.ACCEPT else 'ignored'}."
        if done:
            self.message_user(request, message, messages.SUCCESS)

    def _back(self, filters: str) -> HttpResponseRedirect:
        """Return to the list, as it was filtered."""
        query, address = QueryDict(filters).urlencode(), reverse("admin:drift_drift_changelist")
        return HttpResponseRedirect(f"{address}?{query}" if query else address)


def _outcome(action: DriftAction, drift: Drift) -> tuple[str, bool]:
    """Return what will happen to the row, and whether that is nothing."""
    if action == DriftAction.REVERT:
        if reason := reason_against(drift.kind, drift.field):
            return f"{drift.field} can't be put back: {reason}", True
        return f"{drift.field}: {reversals_of(drift.kind)[drift.field].how}", False
    if action == DriftAction.IGNORE:
        return f"{drift.field} of each resource is left out of the inbox", False
    if drift.field == EXISTS:
        return "the desired state is dropped: it is gone for good", False
    return f"the live {drift.field} becomes the desired one", False


def row_context(drift: Drift) -> dict[str, Any]:
    """Return what a row's own page shows of its values."""
    expected, actual = expected_and_actual(drift, shorten=str)
    reason = reason_against(drift.kind, drift.field)
    how = "" if reason else reversals_of(drift.kind)[drift.field].how
    return {"expected": expected, "actual": actual, "refusal": reason, "how": how}
