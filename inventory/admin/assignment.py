"""The console's bulk assignment of resources to a tenant, and its clearing.

Both go through a page that shows what will happen. It carries the selected resources themselves, and not the
filters that found them: what a sync finds meanwhile is not given away unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import OneLineInput
from arcadia_cloud.kernel.errors import DomainError
from deployments.models import Deployment
from inventory.admin.formatting import dollars
from inventory.models import Project, Resource
from inventory.services import assign, clear_assignment
from inventory.values import AttributionRule

MOST_AT_ONCE: Final = 2_000
_SHOWN: Final = 50  # of the selected resources, one by one
_SOURCE: Final = "console"
_LARGEST_ID: Final = 2**63 - 1
_MOST_DIGITS: Final = len(str(_LARGEST_ID))


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected resources as they are now. `owners` pairs each present owner with how many it has."""

    count: int
    cost: str
    gone: int
    assigned: int  # by an operator's word
    owners: list[tuple[str, int]]
    first: list[Resource]
    more: int


class SelectionForm(forms.Form):
    """The selected resources, and the filters to return to."""

    resources = forms.CharField(widget=forms.HiddenInput)
    filters = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_resources(self) -> list[int]:
        """Read the ids. The page wrote them itself, so what doesn't fit is no operator's slip."""
        ids = self.cleaned_data["resources"].split(",")
        are_numbers = all(text.isdecimal() and len(text) <= _MOST_DIGITS for text in ids)
        if len(ids) > MOST_AT_ONCE or not are_numbers or max(map(int, ids)) > _LARGEST_ID:
            raise forms.ValidationError("This is not a selection of the list.")
        return [int(text) for text in ids]


class AssignForm(SelectionForm):
    """The new owner."""

    tenant_id = forms.CharField(label="Tenant", widget=OneLineInput, help_text="The tenant's id.")
    slug = forms.CharField(
        label="Deployment",
        required=False,
        widget=OneLineInput,
        help_text="The slug of one of the tenant's deployments. Leave it empty for the tenant as a whole.",
    )

    def clean(self) -> dict[str, Any]:
        """Find the deployment among the tenant's own."""
        super().clean()
        data = self.cleaned_data
        data["deployment"] = None
        if data.get("slug") and data.get("tenant_id"):
            data["deployment"] = Deployment.objects.filter(
                tenant_id=data["tenant_id"], slug=data["slug"]
            ).first()
            if data["deployment"] is None:
                self.add_error("slug", f"{data['tenant_id']} has no deployment of this slug.")
        return data


class AssignmentAdmin(RecordAdmin[Resource]):
    """Adds the two actions to the list of resources."""

    actions = ("assign_selected", "clear_selected")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages behind the actions."""
        view = self.admin_site.admin_view
        return [
            path("assign/", view(self.assign_view), name="inventory_resource_assign"),
            path("clear-assignment/", view(self.clear_view), name="inventory_resource_clear"),
            *super().get_urls(),
        ]

    def has_assign_permission(self, request: HttpRequest) -> bool:
        """Check whether the user may assign resources: nothing else of them can be changed."""
        return request.user.has_perm("inventory.change_resource")

    @admin.action(description="Assign to a tenant…", permissions=["assign"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponse | None:
        """Show the page that asks for the tenant."""
        chosen = self._choose(request, queryset)
        return self._page(request, AssignForm(initial=_initial(request, chosen)), chosen) if chosen else None

    @admin.action(description="Clear the assignment…", permissions=["assign"])
    def clear_selected(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponse | None:
        """Show the page with what will be left to the rules."""
        chosen = self._choose(request, queryset)
        if not chosen:
            return None
        return self._page(request, SelectionForm(initial=_initial(request, chosen)), chosen)

    def assign_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, show what will happen, then do it."""
        form = AssignForm(request.POST)
        pks = self._read_selection(request, form)
        if pks is None:
            return self._back(request, form)
        if not form.is_valid() or "back" in request.POST:
            return self._page(request, form, pks)
        if "confirmed" not in request.POST:
            return self._page(request, form, pks, target=_target(form))
        tenant, deployment = form.cleaned_data["tenant_id"], form.cleaned_data["deployment"]
        try:
            with transaction.atomic():  # what was done and who did it, or neither
                changed = assign(
                    resource_pks=pks,
                    tenant_id=tenant,
                    deployment_pk=deployment and deployment.pk,
                    actor=actor_of(request),
                    source=_SOURCE,
                )
                _log(request, Resource.objects.filter(pk__in=pks), f"Assigned to {_target(form)}.")
        except DomainError as error:
            self.message_user(request, f"Nothing was assigned: {error}", messages.ERROR)
            return self._page(request, form, pks)
        message = (
            f"{len(pks):,} assigned to {_target(form)}; {changed:,} changed, what follows them included."
        )
        self.message_user(request, message, messages.SUCCESS)
        return self._back(request, form)

    def clear_view(self, request: HttpRequest) -> HttpResponse:
        """Leave the resources to the rules."""
        form = SelectionForm(request.POST)
        pks = self._read_selection(request, form)
        if pks is None:
            return self._back(request, form)
        assigned = Resource.objects.filter(pk__in=pks, attributed_by=AttributionRule.OPERATOR)
        try:
            with transaction.atomic():
                # Logged first: afterwards no row shows which were assigned.
                _log(request, assigned, "Assignment cleared.")
                changed = clear_assignment(resource_pks=pks, actor=actor_of(request), source=_SOURCE)
        except DomainError as error:
            self.message_user(request, f"Nothing was cleared: {error}", messages.ERROR)
        else:
            message = f"The rules decide again; {changed:,} changed, what follows them included."
            self.message_user(request, message, messages.SUCCESS)
        return self._back(request, form)

    def _choose(self, request: HttpRequest, queryset: QuerySet[Resource]) -> list[int]:
        """Return the selection's ids; none, and a message, where it is too large to look through."""
        pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(pks) <= MOST_AT_ONCE:
            return pks
        message = f"At most {MOST_AT_ONCE:,} at once: filter the list, and do it in parts."
        self.message_user(request, message, messages.ERROR)
        return []

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
        self, request: HttpRequest, form: SelectionForm, pks: Sequence[int], *, target: str = ""
    ) -> TemplateResponse:
        """Draw the page that asks; with `target`, the one that shows what will happen."""
        assigning = isinstance(form, AssignForm)
        # Tenants have no table here: a slip in the name would make a new one.
        owned = (Resource.objects.live_or_gone(), Project.objects.all(), Deployment.objects.all())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Assign to a tenant" if assigning else "Clear the assignment",
            "form": form,
            "assigning": assigning,
            "selection": _select(pks),
            "target": target,
            "is_new_tenant": bool(target)
            and not any(rows.filter(tenant_id=form.cleaned_data["tenant_id"]).exists() for rows in owned),
            "action": reverse(f"admin:inventory_resource_{'assign' if assigning else 'clear'}"),
            "list": reverse("admin:inventory_resource_changelist"),
        }
        return TemplateResponse(request, "inventory/assignment_panel.html", context)

    def _back(self, request: HttpRequest, form: SelectionForm) -> HttpResponseRedirect:
        """Return to the list, as it was filtered."""
        filters = QueryDict(form.cleaned_data.get("filters", "")).urlencode()
        address = reverse("admin:inventory_resource_changelist")
        return HttpResponseRedirect(f"{address}?{filters}" if filters else address)


def _initial(request: HttpRequest, pks: Sequence[int]) -> dict[str, str]:
    return {"resources": ",".join(map(str, pks)), "filters": request.GET.urlencode()}


def _target(form: AssignForm) -> str:
    deployment: Deployment | None = form.cleaned_data["deployment"]
    return str(deployment or form.cleaned_data["tenant_id"])


def _log(request: HttpRequest, resources: QuerySet[Resource], message: str) -> None:
    user_pk = cast("int", request.user.pk)
    LogEntry.objects.log_actions(user_pk, resources.order_by("pk"), CHANGE, message)


def _select(pks: Sequence[int]) -> Selection:
    """Read the facts that an operator decides by. Three queries."""
    chosen = Resource.objects.filter(pk__in=pks)
    figures = chosen.aggregate(
        count=Count("pk"),
        cost=Sum("monthly_price_cents"),
        gone=Count("pk", filter=Q(deleted_at__isnull=False)),
        assigned=Count("pk", filter=Q(attributed_by=AttributionRule.OPERATOR)),
    )
    owners = chosen.values_list("tenant_id").annotate(count=Count("pk")).order_by("-count", "tenant_id")
    first = chosen.select_related("deployment", "project").order_by("pk")[:_SHOWN]
    return Selection(
        count=figures["count"],
        cost=dollars(figures["cost"]),
        gone=figures["gone"],
        assigned=figures["assigned"],
        owners=[(tenant or "unattributed", count) for tenant, count in owners],
        first=list(first),
        more=max(0, figures["count"] - _SHOWN),
    )
