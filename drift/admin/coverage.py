"""The console's pages of what has a desired state: coverage by kind, and the adoption of what has none."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.actions import actor_of, log_without_row
from arcadia_cloud.kernel.console.records import RecordAdmin
from drift.models import Drift
from drift.queries import list_coverage, uncovered_resources
from drift.services import adopt_many
from inventory.values import Kind, kind_label
from provisioning.models import Provisioned
from provisioning.queries import reversals_of

_PAGE: Final = 100
_MOST_ADOPTED: Final = 1000
_MOST_DIGITS: Final = 18


class CoverageAdmin(RecordAdmin[Drift]):
    """Adds the coverage, and the list of what isn't covered."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        view = self.admin_site.admin_view
        return [
            path("coverage/", view(self.coverage_view), name="drift_drift_coverage"),
            path("coverage/<str:kind>/", view(self.uncovered_view), name="drift_drift_uncovered"),
            *super().get_urls(),
        ]

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """Show, for each kind, how many live resources have a desired state."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = [(kind_label(each.kind), each, each.live - each.covered) for each in list_coverage()]
        context = {
            **self._common(request, "Coverage"),
            "rows": rows,
            "live": sum(each.live for _, each, _ in rows),
            "covered": sum(each.covered for _, each, _ in rows),
        }
        return TemplateResponse(request, "drift/coverage.html", context)

    def uncovered_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """List a kind's resources without a desired state; adopt those that are ticked, or all of them."""
        if not self.has_view_permission(request) or kind not in Kind.values:
            raise PermissionDenied
        may_adopt = request.user.has_perm("drift.change_drift")
        resources = uncovered_resources().filter(kind=kind).order_by("pk")
        if request.method == "POST":
            if not may_adopt:
                raise PermissionDenied
            if "all" in request.POST:
                # No more than one request can do; what is left is on the page again.
                pks = list(resources.values_list("pk", flat=True)[:_MOST_ADOPTED])
            else:
                ticked = request.POST.getlist("resource")[:_MOST_ADOPTED]
                pks = [int(each) for each in ticked if each.isdecimal() and len(each) <= _MOST_DIGITS]
            self._adopt(request, kind, pks)
            return HttpResponseRedirect(request.get_full_path())
        after = request.GET.get("after", "")
        # By key, not by count: what is adopted meanwhile shifts no page.
        start = int(after) if after.isdecimal() and len(after) <= _MOST_DIGITS else 0
        found = list(resources.filter(pk__gt=start).select_related("project")[: _PAGE + 1])
        context = {
            **self._common(request, f"{kind_label(kind)}: without a desired state"),
            "resources": found[:_PAGE],
            "next": f"?{urlencode({'after': found[_PAGE - 1].pk})}" if len(found) > _PAGE else "",
            "fields": ", ".join(sorted(reversals_of(kind))) or "whether it exists",
            "may_adopt": may_adopt,
            "most": _MOST_ADOPTED,
            "coverage": reverse("admin:drift_drift_coverage"),
        }
        return TemplateResponse(request, "drift/uncovered.html", context)

    def _adopt(self, request: HttpRequest, kind: str, pks: list[int]) -> None:
        results = adopt_many(resource_pks=pks, actor=actor_of(request), at=timezone.now())
        adopted = sum(result.adopted for result in results)
        if adopted:
            log_without_row(
                request, Provisioned, kind_label(kind), f"The live state of {adopted} adopted as desired."
            )
        if refused := [result.detail for result in results if not result.adopted]:
            self.message_user(request, f"{len(refused)} not adopted: {refused[0]}", messages.ERROR)
        self.message_user(
            request, f"{adopted} adopted: from now on they shall be as they are.", messages.SUCCESS
        )

    def _common(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "list": reverse("admin:drift_drift_changelist"),
        }
