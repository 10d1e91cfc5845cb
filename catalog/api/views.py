"""The catalog API: what is sold, and what a usage would cost. For any token but one that only meters."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller, caller_if_any
from arcadia_cloud.kernel.api.permissions import AnyReader
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer, read_body
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from arcadia_cloud.kernel.periods import month_of
from catalog.api import examples
from catalog.api.quotes import present_quote
from catalog.api.serializers import (
    AddonSerializer,
    EstimateRequestSerializer,
    EstimateSerializer,
    PlanSerializer,
)
from catalog.models import Addon, Plan
from catalog.queries import active_version, estimate_quote, plans_on_offer


@extend_schema_view(get=extend_schema(summary="List plans", examples=examples.PLANS))
class PlanList(ListView):
    """Plans on sale with their active versions: the public ones, and those offered to the caller's tenant."""

    permission_classes = (AnyReader,)
    queryset = Plan.objects.none()  # the schema takes the model from it; get_queryset needs a caller
    serializer_class = PlanSerializer
    orderings = ("sort",)
    default_ordering = "sort"

    def get_queryset(self) -> QuerySet[Plan]:
        return _plans_for(self.request)


@extend_schema_view(get=extend_schema(summary="Get a plan", examples=examples.PLAN))
class PlanDetail(DetailView):
    """One plan on sale, with its active version. 404 for one that isn't offered to the caller's tenant."""

    permission_classes = (AnyReader,)
    queryset = Plan.objects.none()
    serializer_class = PlanSerializer
    lookup_field = "code"

    def get_queryset(self) -> QuerySet[Plan]:
        return _plans_for(self.request)


@extend_schema_view(get=extend_schema(summary="List add-ons", examples=examples.ADDONS))
class AddonList(ListView):
    """Add-ons on sale."""

    permission_classes = (AnyReader,)
    queryset = Addon.objects.filter(active=True)
    serializer_class = AddonSerializer
    orderings = ("code",)
    default_ordering = "code"


class EstimateView(ApiView):
    """An estimate: nothing is stored."""

    permission_classes = (AnyReader,)

    @extend_schema(
        summary="Estimate a month",
        request=EstimateRequestSerializer,
        responses={
            200: EstimateSerializer,
            (404, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer,
                description="No such plan is on sale, or it isn't offered to the tenant.",
            ),
        },
        examples=examples.ESTIMATE,
    )
    def post(self, request: Request) -> Response:
        """Quote a usage of a whole month under a plan's active version, with add-ons at today's prices.

        Every line has the steps that came to it. What has no price is a line `unpriced` with a warning.
        """
        asked = read_body(EstimateRequestSerializer, request)
        user = caller(request)
        version = active_version(
            asked["plan"], tenant_id=user.tenant_id, for_operator=user.is_operator, field="plan"
        )
        quote = estimate_quote(
            version=version,
            addon_codes=asked["addons"],
            usage=asked["usage"],
            period=asked.get("period") or month_of(timezone.now()),
        )
        return Response({"plan": version.plan.code, "version": version.number, **present_quote(quote)})


def _plans_for(request: Request) -> QuerySet[Plan]:
    user = caller_if_any(request)  # the schema is made without a caller
    if user is None:
        return Plan.objects.none()
    return plans_on_offer(user.tenant_id, for_operator=user.is_operator)
