"""Cost anomalies in the API, for operators alone: the list, one of them, and its dismissal."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.filters import IdFilter
from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import ExactField, RowSerializer, StrictSerializer, read_body
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from billing.api import examples
from billing.api.filters import KINDS
from billing.models import CostAnomaly
from billing.services import LONGEST_REASON, dismiss_anomaly
from billing.states import AnomalyStatus
from billing.values import AnomalyDirection
from inventory.values import PROVIDER_CURRENCY


class AnomalyPartSerializer(serializers.Serializer[Any]):
    """A part of the difference, and what it comes from."""

    cause = serializers.CharField(help_text="`created`, `resized`, `price`, `unmatched_lines`, `rest`, …")
    text = serializers.CharField()
    amount = serializers.CharField(help_text="Dollars a day, exact. The parts sum to the difference.")
    resource_id = serializers.IntegerField(allow_null=True)
    saga_id = serializers.IntegerField(allow_null=True)
    run_id = serializers.IntegerField(allow_null=True, help_text="The sync that saw it.")
    actor = serializers.CharField()


class AnomalySerializer(RowSerializer[CostAnomaly]):
    """A cost that left what was expected: of one kind, for a deployment, a tenant or the unattributed."""

    deployment_id = serializers.IntegerField(allow_null=True)
    amount = ExactField()
    expected = ExactField()
    difference = ExactField()
    currency = serializers.SerializerMethodField()
    parts = AnomalyPartSerializer(many=True)

    class Meta:
        model = CostAnomaly
        fields: ClassVar[list[str]] = [
            "id", "tenant_id", "deployment_id", "kind", "direction", "status", "source", "began_on",
            "last_day", "amount", "expected", "difference", "currency", "cause", "parts", "revenue_percent",
            "detected_at", "ended_at", "end_reason", "dismissed_by", "dismissed_reason",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "amount": {"help_text": "The cost of `last_day`."},
            "revenue_percent": {"help_text": "What the same days did to the deployment's quote."},
        }

    def get_currency(self, _anomaly: CostAnomaly) -> str:
        return PROVIDER_CURRENCY


@extend_schema_serializer(component_name="AnomalyDismiss")
class DismissSerializer(StrictSerializer):
    """The reason why the cost is right at this level."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class AnomalyFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Anomalies of any state."""

    status = filters.ChoiceFilter(choices=AnomalyStatus.choices, help_text="`open`, `closed` or `dismissed`.")
    direction = filters.ChoiceFilter(choices=AnomalyDirection.choices, help_text="`up` or `down`.")
    kind = filters.ChoiceFilter(choices=KINDS, help_text="A kind of resource, or `other`.")
    tenant = filters.CharFilter(field_name="tenant_id", max_length=200, help_text="The tenant's id.")
    deployment = IdFilter(field_name="deployment_id", help_text="The deployment's id.")

    class Meta:
        model = CostAnomaly
        fields: ClassVar[list[str]] = []


@extend_schema_view(get=extend_schema(summary="List cost anomalies", examples=examples.ANOMALIES))
class AnomalyList(ListView):
    """Days that cost something else than expected, and why, newest first."""

    permission_classes = (OperatorOnly,)
    serializer_class = AnomalySerializer
    filterset_class = AnomalyFilter
    orderings = ("id",)

    def get_queryset(self) -> QuerySet[CostAnomaly]:
        return CostAnomaly.objects.all()


@extend_schema_view(get=extend_schema(summary="Read one cost anomaly", examples=examples.ANOMALY))
class AnomalyDetail(DetailView):
    """One anomaly, open or over."""

    permission_classes = (OperatorOnly,)
    queryset = CostAnomaly.objects.all()
    serializer_class = AnomalySerializer


class AnomalyDismiss(ApiView):
    """The dismissal of an anomaly."""

    permission_classes = (OperatorOnly,)

    @extend_schema(
        summary="Dismiss a cost anomaly",
        request=DismissSerializer,
        responses=AnomalySerializer,
        examples=examples.DISMISS_ANOMALY,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Dismiss it for a reason: this level is no anomaly any more, another one is.

        422 where it isn't open.
        """
        body = read_body(DismissSerializer, request)
        actor = caller(request).actor
        anomaly = dismiss_anomaly(anomaly_pk=pk, actor=actor, at=timezone.now(), **body)
        return Response(AnomalySerializer(anomaly).data)
