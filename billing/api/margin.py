"""The margin in the API. Read-only, for operators alone."""

import re
from typing import Any, Final

from django.utils import timezone
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
from billing.queries import KnownFigures, MarginBy, SpreadRule, limit_rows, report_margin

_LIMIT: Final = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_ROWS: Final = 1_000
_MOST_ROWS: Final = 10_000


class RevenueSerializer(serializers.Serializer[Any]):
    """A sum of quotes as they are sold, without tax."""

    currency = serializers.CharField()
    amount_minor = serializers.IntegerField(source="cents", help_text="In minor units of the currency.")


class FiguresSerializer(serializers.Serializer[Any]):
    """Revenue, costs and margin of something, in US dollars."""

    revenue = ExactField(
        allow_null=True,
        help_text="Without tax, converted by the month's rate; null where the month was never computed.",
    )
    cost = ExactField(
        allow_null=True,
        help_text="Of its own resources; null where no day of the month has computed costs, as on its first "
        "day. The shared cost and the margin are null with it.",
    )
    shared = ExactField(allow_null=True, help_text="Its part of the costs without an owner.")
    margin = ExactField(allow_null=True, help_text="Revenue less both costs.")
    percent = serializers.CharField(
        allow_null=True,
        help_text="The margin in per cent of the revenue, to a tenth; null without a margin or revenue.",
    )
    unpriced = serializers.IntegerField(
        help_text="How many resources have no price, and are in no cost: it is at least this."
    )
    revenues = RevenueSerializer(many=True, help_text="The revenue by the currency that it is sold in.")


class MarginRowSerializer(FiguresSerializer):
    """One deployment, tenant or plan version."""

    key = serializers.CharField(allow_null=True, help_text="Its id; null for what has none, and for others.")
    name = serializers.CharField(help_text="The same for people.")


class ApartSerializer(serializers.Serializer[Any]):
    """A cost without an owner that no row has."""

    part = serializers.CharField(help_text="`unattributed`, `unmatched`, `tax` or `adjustments`.")
    amount = ExactField()


class MarginSerializer(serializers.Serializer[Any]):
    """A month's margin. Rows and `apart` sum to `total` exactly."""

    period = serializers.DateField()
    by = serializers.ChoiceField(choices=[str(by) for by in MarginBy])
    spread = serializers.ChoiceField(choices=[str(rule) for rule in SpreadRule])
    currency = serializers.CharField()
    is_to_date = serializers.BooleanField(
        help_text="Whether the month runs: usage and costs are to date, fees those of the whole month."
    )
    costs_until = serializers.DateField(
        allow_null=True, help_text="The last day that has computed costs; null: none of the month has."
    )
    computed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was computed, daily; null: never, and there are no rows."
    )
    sources = serializers.ListField(
        child=serializers.CharField(), help_text="The sources of its costs: `billed` alone, or others."
    )
    total = FiguresSerializer()
    apart = ApartSerializer(many=True)
    rows = MarginRowSerializer(many=True)


class MarginView(ApiView):
    """A month's margin by deployment, tenant or plan version, the least first."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"period", "by", "spread", "limit"})

    @extend_schema(
        summary="A month's margin",
        parameters=[
            OpenApiParameter(
                "period", OpenApiTypes.STR, description=f"{PERIOD_HELP} By default the running one."
            ),
            OpenApiParameter(
                "by",
                enum=[str(by) for by in MarginBy],
                default=str(MarginBy.DEPLOYMENT),
                description="What the rows are.",
            ),
            OpenApiParameter(
                "spread",
                enum=[str(rule) for rule in SpreadRule],
                default=str(SpreadRule.NONE),
                description="How costs without an owner are spread over the rows: not at all, in proportion "
                "to direct costs, or evenly over the deployments.",
            ),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": _MOST_ROWS, "default": _DEFAULT_ROWS},
                description="How many rows are told; the others are one.",
            ),
        ],
        responses={
            200: MarginSerializer,
            (409, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer, description="An exchange rate is missing; the answer names pair and day."
            ),
        },
        examples=examples.MARGIN,
    )
    def get(self, request: Request) -> Response:
        at = timezone.now()
        asked = request.query_params.get("period", f"{at:%Y-%m}")
        by = request.query_params.get("by", MarginBy.DEPLOYMENT)
        spread = request.query_params.get("spread", SpreadRule.NONE)
        limit = request.query_params.get("limit", str(_DEFAULT_ROWS))
        errors = {}
        if by not in list(MarginBy):
            errors["by"] = [f"Must be one of {', '.join(MarginBy)}."]
        if spread not in list(SpreadRule):
            errors["spread"] = [f"Must be one of {', '.join(SpreadRule)}."]
        if _LIMIT.fullmatch(limit) is None or int(limit) > _MOST_ROWS:
            errors["limit"] = [f"Must be a whole number from 1 to {_MOST_ROWS}."]
        try:
            month = parse_month(asked)
        except ValueError as refusal:
            errors["period"] = [str(refusal)]
        if errors:
            raise ValidationError(errors)
        report = report_margin(month=month, by=MarginBy(by), spread=SpreadRule(spread), at=at)
        answer = {
            "period": month.start,
            "by": by,
            "spread": spread,
            "currency": report.currency,
            "is_to_date": report.is_to_date,
            "costs_until": report.costs_until,
            "computed_at": report.computed_at,
            "sources": report.sources,
            "total": _figures(report.known(report.total)),
            "apart": [{"part": part, "amount": amount} for part, amount in sorted(report.apart.items())],
            "rows": [
                {"key": row.key, "name": row.name, **_figures(report.known(row.figures))}
                for row in limit_rows(report.rows, int(limit))
            ],
        }
        return Response(MarginSerializer(answer).data)


def _figures(figures: KnownFigures) -> dict[str, Any]:
    return {
        "revenue": figures.revenue,
        "cost": figures.cost,
        "shared": figures.shared,
        "margin": figures.margin,
        "percent": None if figures.percent is None else str(figures.percent),
        "unpriced": figures.unpriced,
        "revenues": figures.revenues,
    }
