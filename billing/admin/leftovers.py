"""The console's leftovers: what costs without being of use, and its clean-up behind a page that shows it."""

import secrets
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import actor_of, log_without_row
from arcadia_cloud.kernel.console.formatting import at_least
from arcadia_cloud.kernel.console.records import RecordAdmin
from billing.admin.formatting import format_dollars
from billing.models import DailyCost
from billing.queries import (
    LeftoverFilter,
    LeftoverReason,
    LeftoverTotal,
    list_leftovers,
    sum_leftovers,
)
from billing.services import CleanUpOutcome, plan_clean_up, start_clean_up
from inventory.values import Kind, kind_label
from provisioning.models import SagaRun

_SHOWN: Final = 200  # on one page, and as many may be ticked
_MOST_DIGITS: Final = 18
_LONGEST_KEY: Final = 40


class LeftoversAdmin(RecordAdmin[DailyCost]):
    """Adds the list of leftovers, and the page behind its clean-up."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        view = self.admin_site.admin_view
        return [
            path("leftovers/", view(self.leftovers_view), name="billing_leftovers"),
            path("leftovers/clean-up/", view(self.clean_up_view), name="billing_clean_up"),
            *super().get_urls(),
        ]

    def leftovers_view(self, request: HttpRequest) -> HttpResponse:
        """List the leftovers, the dearest first, with their total."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        only, at = _read_filter(request), timezone.now()
        # The total is of all of them, the rows are a page.
        total = sum_leftovers(at=at, only=only)
        page = Paginator(range(total.count), _SHOWN).get_page(request.GET.get("page"))
        rows = list_leftovers(at=at, only=only, limit=_SHOWN, skip=(page.number - 1) * _SHOWN)
        narrowed = {"reason": only.reason, "kind": only.kind}
        context = {
            **self._common(request, "Leftovers"),
            "rows": [(each, kind_label(each.kind), _format_monthly(each.monthly)) for each in rows],
            "count": total.count,
            "page": page,
            "query": urlencode({name: value for name, value in narrowed.items() if value}),
            "total": _format_total(total),
            "unpriced": total.unpriced,
            "reasons": LeftoverReason.choices,
            "reason": only.reason,
            "kind": only.kind,
            "may_clean": _may_clean(request),
        }
        return TemplateResponse(request, "billing/leftovers.html", context)

    def clean_up_view(self, request: HttpRequest) -> HttpResponse:
        """Show what goes and what it saves, or start the sagas that the page has shown."""
        if not self.has_view_permission(request) or not _may_clean(request):
            raise PermissionDenied
        ticked = dict.fromkeys(request.POST.getlist("resource"))
        chosen = [int(each) for each in ticked if each.isdecimal() and len(each) <= _MOST_DIGITS]
        if refusal := _refuse_number(0 if request.method != "POST" else len(chosen)):
            self.message_user(request, refusal, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:billing_leftovers"))
        at = timezone.now()
        if "confirmed" in request.POST:
            key = request.POST.get("key", "")[:_LONGEST_KEY]
            outcomes = start_clean_up(
                chosen,
                actor=actor_of(request),
                # Of one user alone: the key comes from the page, and could be another's.
                key=f"clean-up:{request.user.pk}:{key}",
                at=at,
            )
            self._report(request, outcomes)
            return HttpResponseRedirect(reverse("admin:billing_leftovers"))
        outcomes = plan_clean_up(chosen, at=at)
        going = [each.leftover for each in outcomes if each.leftover and not each.refusal]
        priced = [each.monthly for each in going if each.monthly is not None]
        saved = LeftoverTotal(len(going), sum(priced, Decimal(0)), len(going) - len(priced))
        context = {
            **self._common(request, "Clean up"),
            "going": [(each, kind_label(each.kind), _format_monthly(each.monthly)) for each in going],
            "staying": [each for each in outcomes if each.refusal],
            "saves": _format_total(saved),
            # Of this drawing of the page alone: sent twice, it starts nothing twice.
            "key": secrets.token_urlsafe(16),
        }
        return TemplateResponse(request, "billing/clean_up.html", context)

    def _report(self, request: HttpRequest, outcomes: list[CleanUpOutcome]) -> None:
        """Log what was started, and show what was refused, by name."""
        started = [each for each in outcomes if each.saga_id is not None]
        for each in outcomes:
            if each.refusal:
                self.message_user(request, f"{each.name} stays: {each.refusal}", messages.ERROR)
        for each in started:
            log_without_row(request, SagaRun, f"saga {each.saga_id}", f"Clean-up of {each.name} started.")
        if started:
            noun = "saga" if len(started) == 1 else "sagas"
            numbers = ", ".join(str(each.saga_id) for each in started)
            self.message_user(request, f"{len(started)} {noun} started: {numbers}.", messages.SUCCESS)

    def _common(self, request: HttpRequest, title: str) -> dict[str, Any]:
        # Without `opts`, whose list the head would name in place of the page.
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "content_title": title,
            "list": reverse("admin:billing_leftovers"),
        }


def _refuse_number(chosen: int) -> str:
    """Return why so many can't be cleaned up at once, "" where they can."""
    if not chosen:
        return "Tick leftovers first."
    # All or none: what is dropped in silence is taken for cleaned up.
    if chosen > _SHOWN:
        return f"{chosen} are ticked, and at most {_SHOWN} go at once. Nothing was started: tick fewer."
    return ""


def _may_clean(request: HttpRequest) -> bool:
    """Return whether the user may start sagas."""
    return request.user.has_perm("provisioning.change_sagarun")


def _read_filter(request: HttpRequest) -> LeftoverFilter:
    """Return the filter of the page's links. Raises BadRequest for what none of them has."""
    reason, kind = request.GET.get("reason"), request.GET.get("kind")
    try:
        return LeftoverFilter(
            reason=None if reason is None else LeftoverReason(reason),
            kind=None if kind is None else Kind(kind),
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _format_monthly(monthly: Decimal | None) -> str:
    return "no list price" if monthly is None else format_dollars(monthly)


def _format_total(total: LeftoverTotal) -> str:
    """Format dollars a month; a sum without all its prices is too low, and marked so."""
    dollars = f"{at_least(format_dollars(total.monthly), total.unpriced)} a month"
    return f"{dollars} ({total.unpriced} without a list price)" if total.unpriced else dollars
