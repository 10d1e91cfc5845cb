"""The metering API: usage comes in, and is read; and what it costs."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.idempotent import idempotent
from arcadia_cloud.kernel.api.permissions import TenantOrOperator, UsageSender
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer, read_body
from arcadia_cloud.kernel.api.tenant_views import ScopedView
from arcadia_cloud.kernel.api.views import ApiView, ListView
from arcadia_cloud.kernel.money import exact_text
from arcadia_cloud.kernel.periods import month_of, parse_month
from catalog.api.quotes import present_quote
from catalog.values.kinds import BillingKind
from deployments.models import Deployment
from metering.api import examples
from metering.api.filters import DAYS, OperatorUsageFilter, UsageFilter, read_days
from metering.api.serializers import (
    DeploymentQuoteSerializer,
    DeploymentUsageSerializer,
    IntakeResultSerializer,
    UsageBatchRequestSerializer,
    UsageBatchSerializer,
    UsageRecordSerializer,
    UsageSummarySerializer,
)
from metering.models import UsageRecord
from metering.queries import bandwidth_coverage, quote_month, summarize_usage, usage_for_period
from metering.services import record_usage

_MONTH = OpenApiParameter(
    "period", OpenApiTypes.STR, description="A month, as `2026-07`; by default the running one."
)
_DEPLOYMENT = OpenApiParameter("deployment", OpenApiTypes.INT64, description="The deployment's id.")
_KIND = OpenApiParameter("kind", OpenApiTypes.STR, description="The billing kind.", enum=BillingKind.values)
_NEVER_SUBSCRIBED = OpenApiResponse(ProblemSerializer, description="It was never subscribed.")


@extend_schema_view(get=extend_schema(summary="List usage", examples=examples.USAGE))
class UsageList(ScopedView, ListView):
    """Usage records, newest first, of last month and this one unless `from` names an earlier day."""

    rows = UsageRecord.objects.all()
    tenant_serializer = operator_serializer = UsageRecordSerializer
    tenant_filterset = UsageFilter
    operator_filterset = OperatorUsageFilter
    orderings = ("id",)

    def get_permissions(self) -> list[BasePermission]:
        return [UsageSender() if self.request.method == "POST" else TenantOrOperator()]

    @extend_schema(
        summary="Send usage events",
        request=UsageBatchRequestSerializer,
        responses={200: IntakeResultSerializer},
        examples=examples.SEND,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Take a batch of usage events, all of it or nothing; an event that came before counts no more.

        For the roles platform_admin and metering. A bad event refuses the batch and is named by its index and
        field: 400 for one that is wrong by itself, 409 for one that doesn't follow what came before.
        """
        body = read_body(UsageBatchSerializer, request)
        user = caller(request)
        result = record_usage(
            **body,
            tenant_id=None if user.is_operator else user.tenant_id,
            actor=user.actor,
            at=timezone.now(),
        )
        return Response(asdict(result))


class UsageSummary(ApiView):
    """Usage for charts."""

    query_parameters = frozenset({"deployment", "from", "to", "kind"})

    @extend_schema(
        summary="Usage by day and kind",
        parameters=[_DEPLOYMENT, _KIND, *DAYS],
        responses={200: UsageSummarySerializer},
        examples=examples.SUMMARY,
    )
    def get(self, request: Request) -> Response:
        """Sum usage by day and kind, of one deployment or of all that the caller sees."""
        days = read_days(request)
        # The list's own filters: what they refuse is refused here in the same words.
        names = request.query_params.keys() & {"deployment", "kind"}
        narrowed = UsageFilter(
            {name: request.query_params[name] for name in names} | {"from": days.start, "to": days.end},
            UsageRecord.objects.visible_to(caller(request)),
        )
        if not narrowed.is_valid():
            raise ValidationError(narrowed.errors)
        rows = [
            {"day": day.isoformat(), "kind": kind, "qty": exact_text(total, places=0)}
            for day, kind, total in summarize_usage(narrowed.qs)
        ]
        return Response({"period": _present(days), "days": rows})


class _DeploymentView(ApiView):
    """One deployment, as metering knows it. A stranger's is a 404."""

    def find_deployment(self, request: Request, pk: int) -> Deployment:
        return get_object_or_404(Deployment.objects.visible_to(caller(request)), pk=pk)


class DeploymentUsage(_DeploymentView):
    """The usage of a deployment."""

    query_parameters: ClassVar[frozenset[str]] = frozenset({"from", "to"})

    @extend_schema(
        summary="A deployment's usage",
        parameters=DAYS,
        responses={200: DeploymentUsageSerializer},
        examples=examples.DEPLOYMENT_USAGE,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Sum a deployment's usage by kind."""
        deployment, days = self.find_deployment(request, pk), read_days(request)
        usage = usage_for_period(deployment.pk, days)
        return Response(
            {
                "deployment": deployment.pk,
                "period": _present(days),
                "usage": [
                    {"kind": kind, "qty": exact_text(qty, places=0)} for kind, qty in sorted(usage.items())
                ],
                "bandwidth_coverage": bandwidth_coverage(deployment.pk, days),
            }
        )


class DeploymentQuote(_DeploymentView):
    """The price of a deployment's month."""

    query_parameters: ClassVar[frozenset[str]] = frozenset({"period"})

    @extend_schema(
        summary="A deployment's quote",
        parameters=[_MONTH],
        responses={200: DeploymentQuoteSerializer, (409, MEDIA_TYPE): _NEVER_SUBSCRIBED},
        examples=examples.QUOTE,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Quote a month by its recorded usage; the running one also as a forecast.

        The forecast takes the average of the charged days that are over for those that are left.
        """
        deployment, now = self.find_deployment(request, pk), timezone.now()
        try:
            text = request.query_params.get("period")
            month = month_of(now) if text is None else parse_month(text)
        except ValueError as error:
            raise ValidationError({"period": [str(error)]}) from error
        found = quote_month(deployment.pk, month, at=now)
        version = found.subscription.plan_version
        return Response(
            {
                "deployment": deployment.pk,
                "plan": version.plan.code,
                "version": version.number,
                "is_final": month.ends_at <= now,
                "quote": present_quote(found.quote),
                "forecast": None if found.forecast is None else present_quote(found.forecast),
            }
        )


def _present(days: Any) -> dict[str, str]:
    return {"start": days.start.isoformat(), "end": days.end.isoformat()}
