"""The inventory API: resources, their history, and counts. Read-only."""

from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller, caller_if_any
from arcadia_cloud.kernel.api.download_views import FORMAT_PARAMETER, DownloadView
from arcadia_cloud.kernel.api.tenant_views import ScopedView, is_operator
from arcadia_cloud.kernel.api.throttles import owner_of
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from inventory.api import examples
from inventory.api.filters import OperatorResourceFilter, ResourceFilter
from inventory.api.serializers import (
    OperatorResourceEventSerializer,
    OperatorResourceSerializer,
    ResourceEventSerializer,
    ResourceSerializer,
    SummarySerializer,
)
from inventory.export import download, download_head
from inventory.models import Resource, ResourceEvent, ResourceQuerySet
from inventory.queries import events_of, summarize


class _ResourceView(ScopedView):
    """Resources: a tenant's own, for operators everybody's."""

    rows = Resource.objects.select_related("project", "deployment")
    tenant_serializer = ResourceSerializer
    operator_serializer = OperatorResourceSerializer
    tenant_filterset = ResourceFilter
    operator_filterset = OperatorResourceFilter


@extend_schema_view(get=extend_schema(summary="List resources", examples=examples.LIST))
class ResourceList(_ResourceView, ListView):
    """Resources, newest first: a tenant's own, for operators everybody's."""

    orderings = ("id", "name")


class ResourceExport(_ResourceView, DownloadView):
    """Resources as a file: all that the filters leave, oldest first."""

    rows = Resource.objects.all()

    @extend_schema(
        summary="Export resources as CSV or JSON",
        parameters=[FORMAT_PARAMETER],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OperatorResourceSerializer(many=True),
        },
        examples=examples.EXPORT,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream every row that the filters leave, oldest first, with the fields of the list.

        In CSV, a cell that a spreadsheet would run as a formula has an apostrophe before it. A tenant
        downloads one at a time: another one meanwhile gets 429.
        """
        return download(
            cast("ResourceQuerySet", self.filter_queryset(self.get_queryset())),
            self.requested_format(request),
            for_operator=is_operator(request),
            on=timezone.now().date(),
            owner=owner_of(caller(request)),
        )

    @extend_schema(exclude=True)
    def head(self, request: Request) -> HttpResponse:
        return download_head(self.requested_format(request), on=timezone.now().date())


@extend_schema_view(get=extend_schema(summary="Get a resource", examples=examples.DETAIL))
class ResourceDetail(_ResourceView, DetailView):
    """One resource, live or gone."""


@extend_schema_view(get=extend_schema(summary="List a resource's events", examples=examples.EVENTS))
class ResourceEvents(ScopedView, ListView):
    """The history of one resource, newest first."""

    queryset = ResourceEvent.objects.none()  # the schema takes the model from it; get_queryset needs a path
    rows = Resource.objects.only("pk")
    tenant_serializer = ResourceEventSerializer
    operator_serializer = OperatorResourceEventSerializer
    orderings = ("id",)

    def get_queryset(self) -> Any:  # Any: DRF's stubs bind the view to one model
        resource = get_object_or_404(super().get_queryset(), pk=self.kwargs["pk"])
        return events_of(resource, for_operator=is_operator(self.request))


class InventorySummary(ApiView):
    """Live resources counted by kind, region and status; for operators by tenant too, with monthly cost."""

    @extend_schema(summary="Count resources", responses=SummarySerializer, examples=examples.SUMMARY)
    def get(self, request: Request) -> Response:
        visible = Resource.objects.visible_to(caller_if_any(request))
        return Response(summarize(visible, for_operator=is_operator(request)))
