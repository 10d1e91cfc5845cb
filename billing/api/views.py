"""The billing API: balance, invoices, their lines, and a month's costs. Read-only, for operators alone."""

import re
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.periods import parse_month
from billing.api import examples
from billing.api.filters import PERIOD_HELP, CostLineFilter, InvoiceFilter
from billing.api.serializers import (
    BalanceAnswerSerializer,
    BalanceSerializer,
    CostLineSerializer,
    CostsSerializer,
    InvoiceSerializer,
)
from billing.models import CostLine, ProviderInvoice
from billing.queries import Dimension, balances_since, break_down_costs, latest_balance

_DAYS: Final = re.compile(r"([1-9][0-9]{0,2})d")
_MOST_DAYS: Final = 366
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_ROWS: Final = 1_000
_MOST_ROWS: Final = 10_000


class BalanceView(ApiView):
    """The balance with DigitalOcean, as of the last hour that it was stored."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"history"})

    @extend_schema(
        summary="The latest balance",
        parameters=[
            OpenApiParameter(
                "history",
                OpenApiTypes.STR,
                description="So many days back, hour by hour, as `30d`; at most a year.",
            )
        ],
        responses={
            200: BalanceAnswerSerializer,
            (404, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer, description="The balance was never asked for."
            ),
        },
        examples=examples.BALANCE,
    )
    def get(self, request: Request) -> Response:
        days = _days(request)
        latest = latest_balance()
        if latest is None:
            raise NotFound("The balance was never asked for.")
        answer: dict[str, Any] = dict(BalanceSerializer(latest).data)
        if days:
            answer["history"] = BalanceSerializer(balances_since(timezone.now(), days), many=True).data
        return Response(answer)


def _days(request: Request) -> int:
    asked = request.query_params.get("history")
    if asked is None:
        return 0
    found = _DAYS.fullmatch(asked)
    if found is None or int(found[1]) > _MOST_DAYS:
        raise ValidationError({"history": [f"Must be a number of days, as 30d, of at most {_MOST_DAYS}."]})
    return int(found[1])


@extend_schema_view(get=extend_schema(summary="List invoices", examples=examples.INVOICES))
class InvoiceList(ListView):
    """Invoices of the provider, newest first."""

    permission_classes = (OperatorOnly,)
    queryset = ProviderInvoice.objects.all()
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter
    orderings = ("period", "id")
    default_ordering = "-period"


@extend_schema_view(get=extend_schema(summary="Get an invoice", examples=examples.INVOICE))
class InvoiceDetail(DetailView):
    """One invoice."""

    permission_classes = (OperatorOnly,)
    queryset = ProviderInvoice.objects.all()
    serializer_class = InvoiceSerializer


@extend_schema_view(get=extend_schema(summary="List cost lines", examples=examples.COST_LINES))
class CostLineList(ListView):
    """Lines of invoices, those of the newest ingest first."""

    permission_classes = (OperatorOnly,)
    serializer_class = CostLineSerializer
    filterset_class = CostLineFilter
    orderings = ("id",)

    def get_queryset(self) -> QuerySet[CostLine]:
        return CostLine.objects.select_related("invoice", "resource")


class CostsView(ApiView):
    """A month's costs, by tenant, deployment, project, kind or resource."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"period", "by", "limit"})

    @extend_schema(
        summary="A month's costs",
        parameters=[
            OpenApiParameter(
                "period", OpenApiTypes.STR, description=f"{PERIOD_HELP} By default the running one."
            ),
            OpenApiParameter(
                "by",
                enum=[str(by) for by in Dimension],
                default=str(Dimension.TENANT),
                description="What the rows are.",
            ),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": _MOST_ROWS, "default": _DEFAULT_ROWS},
                description="How many of the matched are told row by row, largest first; the others are one.",
            ),
        ],
        responses=CostsSerializer,
        examples=examples.COSTS,
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params.get("period", f"{timezone.now():%Y-%m}")
        by = request.query_params.get("by", Dimension.TENANT)
        limit = request.query_params.get("limit", str(_DEFAULT_ROWS))
        errors = {}
        if _LIMIT.fullmatch(limit) is None or int(limit) > _MOST_ROWS:
            errors["limit"] = [f"Must be a whole number from 1 to {_MOST_ROWS}."]
        if by not in list(Dimension):
            errors["by"] = [f"Must be one of {', '.join(Dimension)}."]
        try:
            period = parse_month(asked).start
        except ValueError as refusal:
            errors["period"] = [str(refusal)]
        if errors:
            raise ValidationError(errors)
        costs = break_down_costs(period=period, by=Dimension(by), limit=int(limit))
        return Response(CostsSerializer(costs).data)
