"""The inventory API: resources, their history, and counts. Read-only."""

from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.throttles import owner_of
from arcadia_cloud.kernel.api.views import ApiView, DetailView, FilteredView, ListView
from arcadia_cloud.kernel.tokens import TokenUser
from inventory.api import examples
from inventory.api.filters import OperatorResourceFilter, ResourceFilter
from inventory.api.serializers import (
    OperatorResourceEventSerializer,
    OperatorResourceSerializer,
    ResourceEventSerializer,
    ResourceSerializer,
    SummarySerializer,
)
from inventory.export import Format, download, download_head
from inventory.models import Resource, ResourceEvent, ResourceQuerySet
from inventory.queries import events_of, summarize


def _viewer(request: Request) -> TokenUser | None:
    """Return the caller, always a token's; None while the schema is drawn up."""
    return cast("TokenUser | None", request.user)


def _is_operator(request: Request) -> bool:
    viewer = _viewer(request)
    return viewer is not None and viewer.is_operator


def _shows_all(view: APIView) -> bool:
    """Check whether this view shows what operators see: to them, and in the schema, which covers both."""
    return getattr(view, "swagger_fake_view", False) or _is_operator(view.request)


def _visible(request: Request) -> ResourceQuerySet:
    viewer = _viewer(request)
    return Resource.objects.none() if viewer is None else Resource.objects.visible_to(viewer)


@extend_schema_view(get=extend_schema(examples=examples.LIST))
class ResourceList(ListView):
    """Resources, newest first: a tenant's own, for operators everybody's."""

    orderings = ("id", "name")

    @property
    def filterset_class(self) -> type[ResourceFilter]:
        """Let only operators ask for a tenant: for others the parameter doesn't exist."""
        return OperatorResourceFilter if _shows_all(self) else ResourceFilter

    def get_queryset(self) -> ResourceQuerySet:
        return _visible(self.request).select_related("project", "deployment")

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return OperatorResourceSerializer if _shows_all(self) else ResourceSerializer


class _CsvRenderer(BaseRenderer):
    """A mark that CSV may be asked for: an export is streamed, and a refusal is a problem document."""

    media_type = "text/csv"
    format = "csv"


class ResourceExport(FilteredView):
    """Resources as a file: all that the filters leave, oldest first."""

    query_parameters = frozenset({"format"})

    def get_renderers(self) -> list[BaseRenderer]:
        """Offer both formats for a file; OPTIONS answers as everywhere."""
        is_file = self.request is not None and self.request.method in {"GET", "HEAD"}
        return [JSONRenderer(), *([_CsvRenderer()] if is_file else [])]

    @property
    def filterset_class(self) -> type[ResourceFilter]:
        """Filter as the list does."""
        return OperatorResourceFilter if _shows_all(self) else ResourceFilter

    def get_queryset(self) -> ResourceQuerySet:
        return _visible(self.request)

    @extend_schema(
        summary="Export resources as CSV or JSON",
        parameters=[
            OpenApiParameter(
                "format",
                enum=[str(form) for form in Format],
                default=str(Format.CSV),
                description="What the file is written as.",
            )
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OperatorResourceSerializer(many=True),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream every row that the filters leave, oldest first, with the fields of the list.

        In CSV, a cell that a spreadsheet would run as a formula has an apostrophe before it. A tenant
        downloads one at a time: another one meanwhile gets 429.
        """
        form = _format(request)
        return download(
            cast("ResourceQuerySet", self.filter_queryset(self.get_queryset())),
            form,
            for_operator=_is_operator(request),
            on=timezone.now().date(),
            owner=owner_of(caller(request)),
        )

    @extend_schema(exclude=True)
    def head(self, request: Request) -> HttpResponse:
        return download_head(_format(request), on=timezone.now().date())


def _format(request: Request) -> Format:
    asked = request.query_params.get("format", Format.CSV)
    if asked not in list(Format):
        raise ValidationError({"format": [f"Must be one of {', '.join(Format)}."]})
    return Format(asked)


@extend_schema_view(get=extend_schema(examples=examples.DETAIL))
class ResourceDetail(DetailView):
    """One resource, live or gone."""

    def get_queryset(self) -> ResourceQuerySet:
        return _visible(self.request).select_related("project", "deployment")

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return OperatorResourceSerializer if _shows_all(self) else ResourceSerializer


@extend_schema_view(get=extend_schema(examples=examples.EVENTS))
class ResourceEvents(ListView):
    """The history of one resource, newest first."""

    queryset = ResourceEvent.objects.none()  # the schema takes the model from it; get_queryset needs a path
    orderings = ("id",)

    def get_queryset(self) -> Any:  # Any: DRF's stubs bind the view to one model
        resource = get_object_or_404(_visible(self.request).only("pk"), pk=self.kwargs["pk"])
        return events_of(resource, for_operator=_is_operator(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return OperatorResourceEventSerializer if _shows_all(self) else ResourceEventSerializer


class InventorySummary(ApiView):
    """Live resources counted by kind, region and status; for operators by tenant too, with monthly cost."""

    @extend_schema(responses=SummarySerializer, examples=examples.SUMMARY)
    def get(self, request: Request) -> Response:
        return Response(summarize(_visible(request), for_operator=_is_operator(request)))
