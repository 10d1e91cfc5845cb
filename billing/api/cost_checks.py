"""The checks of a closed month in the API: the accuracy of our prices, and what wasn't billed. Read-only."""

from datetime import date
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ExactField, ProblemSerializer
from arcadia_cloud.kernel.api.views import ApiView
from arcadia_cloud.kernel.periods import parse_month
from billing.api import examples
from billing.api.filters import PERIOD_HELP
from billing.queries import compare_prices, list_undercharges
from inventory.values import PROVIDER_CURRENCY

_MOST_ROWS: Final = 1_000
_PERIOD: Final = OpenApiParameter("period", OpenApiTypes.STR, required=True, description=PERIOD_HELP)
_NOT_BILLED: Final = OpenApiResponse(
    ProblemSerializer, description="The month's last invoice isn't there yet."
)


class PriceAccuracySerializer(serializers.Serializer[Any]):
    """A kind's month, at list prices and as billed."""

    kind = serializers.CharField()
    billed = ExactField()
    accrued = ExactField(
        allow_null=True,
        help_text="At list prices; at least that where days are `unpriced`, null where all are.",
    )
    difference = ExactField(
        allow_null=True, help_text="What accrued beyond what was billed; null where that isn't known."
    )
    unpriced = serializers.IntegerField(help_text="Days of resources without a list price.")
    prices = serializers.IntegerField(help_text="The kind's list prices in the month.")
    unverified = serializers.IntegerField(
        help_text="List prices of the month that weren't read on the provider's own page."
    )


class CostAccuracySerializer(serializers.Serializer[Any]):
    """The accuracy of list prices in a month, the largest difference first."""

    period = serializers.DateField()
    currency = serializers.CharField()
    rows = PriceAccuracySerializer(many=True)


class UnderchargeSerializer(serializers.Serializer[Any]):
    """A resource that lived in the month and has no line on its invoices."""

    resource_id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    sku = serializers.CharField()
    tenant_id = serializers.CharField(allow_null=True)
    deployment_id = serializers.IntegerField(allow_null=True)
    hours = ExactField(help_text="Its hours in the month.")
    expected = ExactField(allow_null=True, help_text="At list prices; null without one.")
    since = serializers.DateTimeField(
        help_text="The end of its last line, or its beginning where it never had one."
    )


class UnderchargesSerializer(serializers.Serializer[Any]):
    """Resources without a line, the dearest first."""

    period = serializers.DateField()
    currency = serializers.CharField()
    rows = UnderchargeSerializer(many=True)


class CostAccuracyView(ApiView):
    """A closed month at list prices, against what it was billed, by kind."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"period"})

    @extend_schema(
        summary="The accuracy of list prices",
        parameters=[_PERIOD],
        responses={200: CostAccuracySerializer, (404, MEDIA_TYPE): _NOT_BILLED},
        examples=examples.COST_ACCURACY,
    )
    def get(self, request: Request) -> Response:
        period = _read_period(request)
        answer = {"period": period, "currency": PROVIDER_CURRENCY, "rows": compare_prices(period)}
        return Response(CostAccuracySerializer(answer).data)


class UnderchargesView(ApiView):
    """Resources that lived in a billed month without a line: an invoice to come, or a match missing."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"period"})

    @extend_schema(
        summary="Resources without a line",
        description=f"At most {_MOST_ROWS}, the dearest first.",
        parameters=[_PERIOD],
        responses={200: UnderchargesSerializer, (404, MEDIA_TYPE): _NOT_BILLED},
        examples=examples.UNDERCHARGES,
    )
    def get(self, request: Request) -> Response:
        period = _read_period(request)
        rows = list_undercharges(period, limit=_MOST_ROWS)
        answer = {"period": period, "currency": PROVIDER_CURRENCY, "rows": rows}
        return Response(UnderchargesSerializer(answer).data)


def _read_period(request: Request) -> date:
    """Return the month that is asked for. Raises ValidationError."""
    try:
        return parse_month(request.query_params.get("period", "")).start
    except ValueError as refusal:
        raise ValidationError({"period": [str(refusal)]}) from refusal
