"""Price simulations: asked for, and their results. For operators."""

from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import (
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.idempotent import idempotent
from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import ExactField, ShownMonthField, StrictSerializer, read_body
from arcadia_cloud.kernel.api.views import ApiView, DetailView
from billing.api import examples
from billing.models import PlanSimulation, PlanSimulationRow
from billing.models.simulations import MOST_MONTHS
from billing.queries import differences_by_tenant, largest_differences
from billing.services import request_plan_simulation

_SHOWN: Final = 100
_RESULTS: Final = (
    "other_currency", "months_left_out", "months_quoted", "pay_more", "pay_less", "cross_into_overage",
    "revenue_now", "revenue_then", "difference",
)  # fmt: skip
_LATER: Final = "Null unless it is completed."
_UNPRICED: Final = "Days of resources without a list price, in no cost; null where not counted."


@extend_schema_serializer(component_name="Simulation")  # in the schema "Request" comes behind it
class SimulationRequestSerializer(StrictSerializer):
    """The months to simulate."""

    months = serializers.IntegerField(
        default=1, min_value=1, max_value=MOST_MONTHS, help_text="How many of the last complete months."
    )


class TenantDifferenceSerializer(serializers.Serializer[Any]):
    """A tenant, over all months."""

    tenant_id = serializers.CharField(source="tenant")
    deployments = serializers.IntegerField()
    revenue_now = ExactField(source="now")
    revenue_then = ExactField(source="later")
    difference = ExactField()
    cost = ExactField(allow_null=True)
    unpriced = serializers.IntegerField(allow_null=True, help_text=_UNPRICED)
    cross_into_overage = serializers.IntegerField(
        source="crossing",
        help_text="How many of its deployments are over an allowance then alone.",
    )


class SimulationRowSerializer(serializers.ModelSerializer[PlanSimulationRow]):
    """A month of a subscriber."""

    month = ShownMonthField()
    deployment_id = serializers.IntegerField()
    subscription_id = serializers.IntegerField()
    revenue_now = ExactField()
    revenue_then = ExactField()
    difference = ExactField()
    cost = ExactField(allow_null=True)
    unpriced = serializers.IntegerField(allow_null=True, help_text=_UNPRICED)
    crosses_into = serializers.ListField(child=serializers.CharField())
    loses_price = serializers.ListField(
        child=serializers.CharField(), help_text="Kinds with an overage that has no price any more."
    )

    class Meta:
        model = PlanSimulationRow
        fields = (
            "month", "tenant_id", "deployment_id", "subscription_id", "revenue_now", "revenue_then",
            "difference", "cost", "unpriced", "crosses_into", "loses_price",
        )  # fmt: skip


class SimulationSerializer(serializers.ModelSerializer[PlanSimulation]):
    """A simulation, without its rows. Its result is null until it is completed, and where it failed."""

    plan_version_id = serializers.IntegerField(allow_null=True, help_text="Null once the draft was deleted.")
    first_month = ShownMonthField()
    other_currency = serializers.IntegerField(
        allow_null=True, help_text=f"Subscribers that pay in another currency, and are left out. {_LATER}"
    )
    months_left_out = serializers.IntegerField(
        allow_null=True, help_text=f"Months that a subscriber didn't have whole. {_LATER}"
    )
    months_quoted = serializers.IntegerField(allow_null=True, help_text=_LATER)
    pay_more = serializers.IntegerField(allow_null=True, help_text=f"Subscribers. {_LATER}")
    pay_less = serializers.IntegerField(allow_null=True, help_text=f"Subscribers. {_LATER}")
    cross_into_overage = serializers.IntegerField(allow_null=True, help_text=f"Subscribers. {_LATER}")
    revenue_now = ExactField(
        allow_null=True, help_text=f"Without tax, under the terms that each had. {_LATER}"
    )
    revenue_then = ExactField(
        allow_null=True, help_text=f"Without tax, had all been under the simulated terms. {_LATER}"
    )
    difference = ExactField(allow_null=True, help_text=_LATER)
    cost = ExactField(allow_null=True, help_text="Null while it isn't known; `cost_unknown` says why.")
    margin_now = ExactField(allow_null=True, help_text="Revenue less cost.")
    margin_then = ExactField(allow_null=True)
    unpriced = serializers.IntegerField(allow_null=True, help_text=f"{_UNPRICED} {_LATER}")

    class Meta:
        model = PlanSimulation
        fields = (
            "id", "plan_version_id", "version_name", "terms_digest", "currency", "first_month", "month_count",
            "status", "error", "requested_by", "requested_at", "started_at", "finished_at", "subscribers",
            "subscribers_done", "other_currency", "months_left_out", "months_quoted", "pay_more", "pay_less",
            "cross_into_overage", "revenue_now", "revenue_then", "difference", "cost", "margin_now",
            "margin_then", "cost_unknown", "unpriced", "rows_deleted_at",
        )  # fmt: skip

    def to_representation(self, instance: PlanSimulation) -> dict[str, Any]:
        """As the library's; the zeros that a result begins with are no result."""
        shown: dict[str, Any] = super().to_representation(instance)
        return shown if instance.is_completed else {**shown, **dict.fromkeys(_RESULTS)}


class SimulationDetailSerializer(SimulationSerializer):
    """A simulation with the largest of its differences."""

    tenants = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField()

    class Meta(SimulationSerializer.Meta):
        fields = (*SimulationSerializer.Meta.fields, "tenants", "rows")  # type: ignore[assignment] # longer

    @extend_schema_field(TenantDifferenceSerializer(many=True))
    def get_tenants(self, simulation: PlanSimulation) -> Any:  # Any: as the serializer has it
        """Return the tenants with the largest differences, at most a hundred, once it is completed."""
        found = differences_by_tenant(simulation.pk, most=_SHOWN)
        return TenantDifferenceSerializer(found, many=True).data

    @extend_schema_field(SimulationRowSerializer(many=True))
    def get_rows(self, simulation: PlanSimulation) -> Any:
        """Return the months with the largest differences, at most a hundred, once it is completed."""
        return SimulationRowSerializer(largest_differences(simulation.pk)[:_SHOWN], many=True).data


class SimulateView(ApiView):
    """Asks for a simulation."""

    permission_classes = (OperatorOnly,)

    @extend_schema(
        summary="Simulate a plan version",
        request=SimulationRequestSerializer,
        responses={202: SimulationSerializer},
        examples=examples.SIMULATE,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Have every subscriber's last complete months quoted again under a version, a draft's too.

        No terms change: what each would have paid is kept beside what it did. `Location` is the
        simulation's address, which has the result once `status` is `completed`. While one of the same terms
        and months isn't finished, that one is answered.
        """
        body = read_body(SimulationRequestSerializer, request)
        simulation = request_plan_simulation(
            version_pk=pk,
            months=body["months"],
            actor=caller(request).actor,
            at=timezone.now(),
        )
        address = reverse("catalog-simulation", args=[simulation.pk])
        return Response(SimulationSerializer(simulation).data, status=202, headers={"Location": address})


@extend_schema_view(get=extend_schema(summary="Get a simulation", examples=examples.SIMULATION))
class SimulationDetail(DetailView):
    """One simulation: how far it is, its sums, and its largest differences by tenant and by month."""

    permission_classes = (OperatorOnly,)
    queryset = PlanSimulation.objects.all()
    serializer_class = SimulationDetailSerializer
