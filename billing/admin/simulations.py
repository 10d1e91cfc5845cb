"""The console's price simulations: what each changes, the largest differences first, and as a file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arcadia_cloud.kernel.api.downloads import Format, TooManyDownloads, download, file_pieces
from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, at_least, at_most
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.errors import DomainError
from billing import services
from billing.admin.formatting import SIMULATION_COLOURS, format_amount
from billing.models import PlanSimulation
from billing.models.simulations import MOST_MONTHS
from billing.queries import differences_by_tenant, largest_differences
from billing.states import SimulationStatus

_SHOWN: Final = 50
_COLUMNS: Final[Mapping[str, str]] = {
    "row": "pk",
    "month": "month",
    "tenant_id": "tenant_id",
    "deployment_id": "deployment",
    "deployment": "deployment__slug",
    "subscription_id": "subscription",
    "revenue_now": "revenue_now",
    "revenue_then": "revenue_then",
    "difference": "more",  # annotated: a property is no column
    "cost": "cost",
    "unpriced": "unpriced",
    "crosses_into": "crosses_into",
    "loses_price": "loses_price",
}


class SimulateForm(forms.Form):
    """The number of months to simulate."""

    months = forms.IntegerField(min_value=1, max_value=MOST_MONTHS)


class SimulationStatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = SimulationStatus.choices


@admin.register(PlanSimulation)
class PlanSimulationAdmin(RecordAdmin[PlanSimulation]):
    """Price simulations, newest first. A version's page asks for one."""

    change_form_template = "billing/simulation.html"
    list_display = (
        "version_name", "status_label", "since_month", "month_count", "subscribers", "paying_more",
        "paying_less", "crossing", "formatted_difference", "requested_by", "requested_at",
    )  # fmt: skip
    list_filter = (SimulationStatusFilter,)
    search_fields = ("version_name",)
    search_help_text = "The plan's code and the version's number, as studio/2"
    fields = (("version_name", "currency"), ("requested_by", "requested_at"))
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        """Add the request for a simulation, and the file of one."""
        pages = (
            ("simulate/<int:pk>/", self.simulate_view, "simulate"),
            ("<int:pk>/rows/", self.rows_view, "rows"),
        )
        return [
            path(route, self.admin_site.admin_view(view), name=f"billing_plansimulation_{name}")
            for route, view, name in pages
        ] + super().get_urls()

    def simulate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a simulation of the plan version `pk`, and go to its page."""
        if request.method != "POST" or not request.user.has_perm("catalog.change_planversion"):
            raise PermissionDenied
        form = SimulateForm(request.POST)
        back = reverse("admin:catalog_planversion_change", args=[pk])
        if not form.is_valid():
            messages.error(request, f"The months must be from 1 to {MOST_MONTHS}.")
            return HttpResponseRedirect(back)
        try:
            simulation = services.request_plan_simulation(
                version_pk=pk,
                months=form.cleaned_data["months"],
                actor=actor_of(request),
                at=timezone.now(),
            )
        except DomainError as refusal:
            messages.error(request, f"Not simulated: {refusal.detail}.")
            return HttpResponseRedirect(back)
        self.log_addition(request, simulation, "Asked for from the console.")
        return HttpResponseRedirect(reverse("admin:billing_plansimulation_change", args=[simulation.pk]))

    def rows_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Download every row of a simulation as CSV, the largest differences first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        simulation = PlanSimulation.objects.filter(pk=pk).first()
        if simulation is None:
            raise Http404
        rows = largest_differences(pk).annotate(more=F("revenue_then") - F("revenue_now"))
        name = f"simulation-{pk}-{simulation.version_name.replace('/', '-')}"
        try:
            return download(
                lambda: file_pieces(rows, _COLUMNS, Format.CSV, largest_first="size"),
                name=name,
                form=Format.CSV,
                owner=actor_of(request),
            )
        except TooManyDownloads as error:
            self.message_user(request, str(error), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:billing_plansimulation_change", args=[pk]))

    def extra_context(self, request: HttpRequest, row: PlanSimulation) -> dict[str, Any]:
        """Add the sums, the tenants and the months with the largest differences."""
        return {
            "simulation": row,
            "status": row.status,
            "status_colour": SIMULATION_COLOURS[row.status],
            "months": row.months,
            "sums": sums_of(row),
            "tenants": [
                (
                    tenant,
                    format_amount(tenant.now, row.currency),
                    format_amount(tenant.later, row.currency),
                    format_amount(tenant.difference, row.currency),
                    at_least(format_amount(tenant.cost, row.currency), tenant.unpriced or 0),
                )
                for tenant in differences_by_tenant(row.pk, most=_SHOWN)
            ],
            "rows": [
                (
                    month,
                    format_amount(month.revenue_now, row.currency),
                    format_amount(month.revenue_then, row.currency),
                    format_amount(month.difference, row.currency),
                    at_least(format_amount(month.cost, row.currency), month.unpriced or 0),
                )
                for month in largest_differences(row.pk)[:_SHOWN]
            ],
            "has_more": row.months_quoted > _SHOWN,
        }

    @display(description="status", label=SIMULATION_COLOURS)
    def status_label(self, simulation: PlanSimulation) -> str:
        return simulation.status

    @display(description="since")
    def since_month(self, simulation: PlanSimulation) -> str:
        return f"{simulation.first_month:%B %Y}"

    @display(description="difference")
    def formatted_difference(self, simulation: PlanSimulation) -> str:
        return format_amount(simulation.difference if simulation.is_completed else None, simulation.currency)

    @display(description="pay more")
    def paying_more(self, simulation: PlanSimulation) -> str:
        return _count(simulation, simulation.pay_more)

    @display(description="pay less")
    def paying_less(self, simulation: PlanSimulation) -> str:
        return _count(simulation, simulation.pay_less)

    @display(description="cross into overage")
    def crossing(self, simulation: PlanSimulation) -> str:
        return _count(simulation, simulation.cross_into_overage)


def _count(simulation: PlanSimulation, number: int) -> str:
    """Format a count of a result; a dash where there is none."""
    return f"{number:,}" if simulation.is_completed else NOTHING


def sums_of(simulation: PlanSimulation) -> list[tuple[str, str, str]]:
    """Return revenue, cost and margin, formatted: as they were and would have been; a dash for no result."""

    def formatted(amount: Decimal | None) -> str:
        return format_amount(amount if simulation.is_completed else None, simulation.currency)

    unpriced = simulation.unpriced or 0
    cost = at_least(formatted(simulation.cost), unpriced)
    margins = [
        at_most(formatted(margin), unpriced) for margin in (simulation.margin_now, simulation.margin_then)
    ]
    return [
        ("Revenue without tax", formatted(simulation.revenue_now), formatted(simulation.revenue_then)),
        ("Cost", cost, cost),
        ("Margin", margins[0], margins[1]),
    ]
