"""The console's assignment of resources to an owner, their mark as our own, and the clearing of both.

From the list each goes through a page that shows what will happen; on a resource's page it acts at once. The
form carries the selected resources, and not the filters that found them: what a sync finds meanwhile is not
given away unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.errors import DomainError
from inventory.admin import assignment_forms
from inventory.admin.assignment_forms import AssignForm, SelectionForm
from inventory.models import Resource
from inventory.queries import suggest_owners
from inventory.services import assign, clear_assignment, mark_ours
from inventory.values import OPERATORS_RULES

_SOURCE: Final = "console"
_SUGGESTED: Final = 20


@dataclass(frozen=True, slots=True)
class _Change:
    """One of the three changes: its page's title, its button, and its words in the log."""

    name: str
    title: str
    button: str
    logged: str
    refused: str


_ASSIGN: Final = _Change("assign", "Assign to an owner", "Assign", "Assigned", "Nothing was assigned")
_OURS: Final = _Change("ours", "Mark as ours", "Mark as ours", "Marked as ours", "Nothing was marked")
_CLEAR: Final = _Change(
    "clear", "Clear the assignment", "Clear the assignment", "Assignment cleared", "Nothing was cleared"
)


def _owners_of(pks: Sequence[int]) -> dict[int, str]:
    rows = Resource.objects.filter(pk__in=pks).select_related("deployment", "project")
    return {row.pk: row.owner_name for row in rows}


def _log_owners(
    request: HttpRequest, words: str, before: Mapping[int, str], after: Mapping[int, str]
) -> None:
    """Log the change of each resource with its old owner and its new one."""
    changes: dict[tuple[str, str], list[int]] = {}
    for pk, owner in after.items():
        changes.setdefault((before[pk], owner), []).append(pk)
    user_pk = cast("int", request.user.pk)
    for (old, new), pks in sorted(changes.items()):
        rows = Resource.objects.filter(pk__in=pks).order_by("pk")
        LogEntry.objects.log_actions(user_pk, rows, CHANGE, f"{words}; owner: {old} → {new}")


class AssignmentAdmin(RecordAdmin[Resource]):
    """Adds the three actions to the list of resources, and to a resource's page."""

    actions = ("assign_selected", "mark_selected_ours", "clear_selected")
    actions_as_buttons = True  # a click each, without the theme's menu before it

    def get_urls(self) -> list[URLPattern]:
        """Add the pages behind the actions, and what the combobox suggests."""
        view = self.admin_site.admin_view
        return [
            path("owners/", view(self.owners_view), name="inventory_resource_owners"),
            path("assign/", view(self.assign_view), name="inventory_resource_assign"),
            path("ours/", view(self.ours_view), name="inventory_resource_ours"),
            path("clear-assignment/", view(self.clear_view), name="inventory_resource_clear"),
            *super().get_urls(),
        ]

    def has_assign_permission(self, request: HttpRequest) -> bool:
        """Check whether the user may assign resources: nothing else of them can be changed."""
        return request.user.has_perm("inventory.change_resource")

    @admin.action(description="Assign to an owner…", permissions=["assign"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponse | None:
        """Show the page that asks for the owner."""
        return self._ask(request, queryset, _ASSIGN)

    @admin.action(description="Mark as ours…", permissions=["assign"])
    def mark_selected_ours(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponse | None:
        """Show the page with what will be ours."""
        return self._ask(request, queryset, _OURS)

    @admin.action(description="Clear the assignment…", permissions=["assign"])
    def clear_selected(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponse | None:
        """Show the page with what will be left to the rules."""
        return self._ask(request, queryset, _CLEAR)

    def owner_context(self, request: HttpRequest, resource: Resource) -> dict[str, Any]:
        """Return what a resource's page needs to change its owner; no form for a user who may not."""
        if not self.has_assign_permission(request):
            return {"assign_form": None}
        initial = {"resources": str(resource.pk), "from_page": True}
        return {
            "resource": resource,
            "assign_form": AssignForm(initial=initial, auto_id="assign_%s"),
            "is_assigned": resource.attributed_by in OPERATORS_RULES,
        }

    def owners_view(self, request: HttpRequest) -> JsonResponse:
        """Return the owners that fit what was typed so far."""
        if not self.has_assign_permission(request):
            raise PermissionDenied
        return JsonResponse({"owners": suggest_owners(request.GET.get("q", ""), most=_SUGGESTED)})

    def assign_view(self, request: HttpRequest) -> HttpResponse:
        """Give the resources to the owner that the form names."""
        form = AssignForm(request.POST)
        pks = self._read_selection(request, form)
        if pks is None:
            return self._back(request, form)
        if not form.is_valid():
            return self._page(request, form, pks, _ASSIGN)
        owner = form.target
        deployment_pk = owner.deployment.pk if owner.deployment else None

        def give() -> int:
            return assign(
                resource_pks=pks,
                tenant_id=owner.tenant_id,
                deployment_pk=deployment_pk,
                actor=actor_of(request),
                source=_SOURCE,
            )

        message = f"{len(pks):,} assigned to {owner}"
        return self._run(request, form, pks, _ASSIGN, give, message=message)

    def ours_view(self, request: HttpRequest) -> HttpResponse:
        """Mark the resources as the operator's own."""
        form = SelectionForm(request.POST)
        pks = self._read_selection(request, form)
        if pks is None:
            return self._back(request, form)

        def mark() -> int:
            return mark_ours(resource_pks=pks, actor=actor_of(request), source=_SOURCE)

        message = f"{len(pks):,} marked as ours, until it is cleared"
        return self._run(request, form, pks, _OURS, mark, message=message)

    def clear_view(self, request: HttpRequest) -> HttpResponse:
        """Leave the resources to the rules."""
        form = SelectionForm(request.POST)
        pks = self._read_selection(request, form)
        if pks is None:
            return self._back(request, form)

        def clear() -> int:
            return clear_assignment(resource_pks=pks, actor=actor_of(request), source=_SOURCE)

        # Read first: afterwards no row shows which were assigned.
        assigned = Resource.objects.filter(pk__in=pks, attributed_by__in=OPERATORS_RULES)
        logged = list(assigned.order_by("pk").values_list("pk", flat=True))
        return self._run(request, form, logged, _CLEAR, clear, message="The rules decide again")

    def _run(
        self,
        request: HttpRequest,
        form: SelectionForm,
        pks: Sequence[int],
        change: _Change,
        call: Callable[[], int],
        *,
        message: str,
    ) -> HttpResponse:
        """Call the service and log it for `pks`, or neither; return to where the operator came from."""
        try:
            with transaction.atomic():
                before = _owners_of(pks)
                changed = call()
                _log_owners(request, change.logged, before, _owners_of(pks))
        except DomainError as error:
            self.message_user(request, f"{change.refused}: {error}", messages.ERROR)
            return self._back(request, form)
        done = f"{message}; {changed:,} changed, what follows them included."
        self.message_user(request, done, messages.SUCCESS)
        return self._back(request, form)

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[Resource], change: _Change
    ) -> HttpResponse | None:
        """Show a change's page; none, and a message, for a selection that is too large to look through."""
        most = assignment_forms.MOST_AT_ONCE
        pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: most + 1])
        if len(pks) > most:
            message = f"At most {most:,} at once: filter the list, and do it in parts."
            self.message_user(request, message, messages.ERROR)
            return None
        if not pks:
            return None
        form = AssignForm if change is _ASSIGN else SelectionForm
        initial = {"resources": ",".join(map(str, pks)), "filters": request.GET.urlencode()}
        return self._page(request, form(initial=initial), pks, change)

    def _read_selection(self, request: HttpRequest, form: SelectionForm) -> list[int] | None:
        """Return the ids that the page carried; None where this isn't a page of ours."""
        if not self.has_assign_permission(request):
            raise PermissionDenied
        form.is_valid()
        pks: list[int] | None = form.cleaned_data.get("resources")
        if pks is None:
            self.message_user(request, "Select resources in the list first.", messages.WARNING)
        return pks

    def _page(
        self, request: HttpRequest, form: SelectionForm, pks: Sequence[int], change: _Change
    ) -> TemplateResponse:
        """Draw the page that shows what will happen, and asks."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": change.title,
            "form": form,
            "change": change,
            "selection": assignment_forms.select(pks),
            "action": reverse(f"admin:inventory_resource_{change.name}"),
            "list": self._origin(form),
        }
        return TemplateResponse(request, "inventory/assignment_panel.html", context)

    def _back(self, request: HttpRequest, form: SelectionForm) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._origin(form))

    def _origin(self, form: SelectionForm) -> str:
        """Return the address that the operator came from: the filtered list, or a resource's page."""
        data: Mapping[str, Any] = getattr(form, "cleaned_data", dict(form.initial))
        pks = data.get("resources")
        if data.get("from_page") and isinstance(pks, list) and len(pks) == 1:
            return reverse("admin:inventory_resource_change", args=pks)
        filters = QueryDict(data.get("filters", "")).urlencode()
        address = reverse("admin:inventory_resource_changelist")
        return f"{address}?{filters}" if filters else address
