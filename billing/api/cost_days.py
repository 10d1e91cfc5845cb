"""Costs by day in the API. Read-only, for operators alone."""

from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import ExactField
from arcadia_cloud.kernel.api.views import ApiView
from arcadia_cloud.kernel.periods import Period
from billing.api import examples
from billing.queries import CostSource, Dimension, sum_days
from inventory.values import PROVIDER_CURRENCY

_DIMENSIONS: Final = (Dimension.TENANT, Dimension.DEPLOYMENT, Dimension.KIND)
_DAYS_BY_DEFAULT: Final = 30
_MOST_DAYS: Final = 92


class DayCostSerializer(serializers.Serializer[Any]):
    """The cost of one key on one day."""

    day = serializers.DateField()
    group = serializers.CharField(
        source="part", help_text="`matched`: of resources; `unmatched`, `tax`, `adjustments`: of none."
    )
    key = serializers.CharField(
        allow_null=True, help_text="The id, tenant or kind; null where there is none."
    )
    amount = ExactField()
    resources = serializers.IntegerField(help_text="How many resources it is of.")
    unpriced = serializers.IntegerField(
        help_text="How many of them have no list price, and are in no amount."
    )

    def get_fields(self) -> dict[str, Any]:
        """Name the source as rows do: `source` is an attribute of every serializer."""
        source = serializers.ChoiceField(
            choices=[str(source) for source in CostSource],
            help_text="`billed`: invoices; `reported`: the provider's estimate; `accrued`: list prices.",
        )
        return {"source": source, **super().get_fields()}


class CostDaysSerializer(serializers.Serializer[Any]):
    """Costs by day, oldest first. `to` is the first day that isn't among them."""

    by = serializers.CharField()
    currency = serializers.CharField()
    rows = DayCostSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Name the bounds as the query does: `from` is a word of Python's."""
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class CostDaysView(ApiView):
    """Costs by day, by the best source that each day has, or by one."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"from", "to", "by", "source"})

    @extend_schema(
        summary="Costs by day",
        parameters=[
            OpenApiParameter(
                "from",
                OpenApiTypes.DATE,
                description=f"The first day; {_DAYS_BY_DEFAULT} days ago by default.",
            ),
            OpenApiParameter(
                "to",
                OpenApiTypes.DATE,
                description=f"The day after the last, by default today; at most {_MOST_DAYS} days later.",
            ),
            OpenApiParameter(
                "by",
                enum=[str(by) for by in _DIMENSIONS],
                default=str(Dimension.TENANT),
                description="What the rows are.",
            ),
            OpenApiParameter(
                "source",
                enum=[str(source) for source in CostSource],
                description="This source alone. By default each day's best: billed, reported, accrued.",
            ),
        ],
        responses=CostDaysSerializer,
        examples=examples.COST_DAYS,
    )
    def get(self, request: Request) -> Response:
        errors: dict[str, list[str]] = {}
        today = timezone.now().date()
        end = _read_day(request, "to", today, errors)
        start = _read_day(request, "from", end - timedelta(days=_DAYS_BY_DEFAULT), errors)
        by = request.query_params.get("by", str(Dimension.TENANT))
        source = request.query_params.get("source")
        if by not in _DIMENSIONS:
            errors["by"] = [f"Must be one of {', '.join(_DIMENSIONS)}."]
        if source is not None and source not in CostSource.values:
            errors["source"] = [f"Must be one of {', '.join(CostSource.values)}."]
        if not errors and not 0 < (end - start).days <= _MOST_DAYS:
            errors["to"] = [f"Must be from 1 to {_MOST_DAYS} days after `from`."]
        if errors:
            raise ValidationError(errors)
        rows = sum_days(
            days=Period(start, end), by=Dimension(by), source=None if source is None else CostSource(source)
        )
        answer = {"from": start, "to": end, "by": by, "currency": PROVIDER_CURRENCY, "rows": list(rows)}
        return Response(CostDaysSerializer(answer).data)


def _read_day(request: Request, name: str, default: date, errors: dict[str, list[str]]) -> date:
    asked = request.query_params.get(name)
    if asked is None:
        return default
    try:
        return date.fromisoformat(asked)
    except ValueError:
        errors[name] = ["Must be a day, as 2026-04-01."]
        return default
