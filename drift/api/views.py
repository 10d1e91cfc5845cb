"""The drift API, for operators alone: the inbox, what is done to its rows, and its counts."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import read_body
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from drift.api import examples
from drift.api.filters import DriftFilter
from drift.api.serializers import (
    DriftBulkAnswerSerializer,
    DriftBulkSerializer,
    DriftIgnoreSerializer,
    DriftResolveSerializer,
    DriftSerializer,
    DriftSummarySerializer,
)
from drift.models import Drift
from drift.queries import drift_by_id, summarize_drift
from drift.services import accept_drift, act_on_many, ignore_drift, revert_drift
from drift.values import DriftAction
from provisioning.services import refresh_offer


@extend_schema_view(get=extend_schema(summary="List drift", examples=examples.LIST))
class DriftList(ListView):
    """Fields that differ from their desired state, newest first: the open ones, unless `status` is given."""

    permission_classes = (OperatorOnly,)
    queryset = Drift.objects.select_related("resource")
    serializer_class = DriftSerializer
    filterset_class = DriftFilter
    orderings = ("id", "detected_at")


@extend_schema_view(get=extend_schema(summary="Read one row of drift", examples=examples.DETAIL))
class DriftDetail(DetailView):
    """One row, open or resolved."""

    permission_classes = (OperatorOnly,)
    queryset = Drift.objects.select_related("resource")
    serializer_class = DriftSerializer


class _ActionView(ApiView):
    """An operator's action on a row."""

    permission_classes = (OperatorOnly,)

    def run_action(
        self, request: Request, pk: int, act: Callable[..., Drift], body: dict[str, Any]
    ) -> Response:
        """Act with the values of the body, and answer the row as it is then."""
        actor = caller(request).actor
        drift = act(drift_pk=pk, actor=actor, at=timezone.now(), **body)
        return Response(DriftSerializer(drift_by_id(drift.pk)).data)


class DriftAccept(_ActionView):
    """The acceptance of a live value."""

    @extend_schema(
        summary="Accept drift",
        request=DriftResolveSerializer,
        responses=DriftSerializer,
        examples=examples.ACCEPT,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Make the live value the desired one; `exists` accepted drops the desired state.

        409 where it is resolved already, where the value is another by now, and while a saga works on the
        resource.
        """
        return self.run_action(request, pk, accept_drift, read_body(DriftResolveSerializer, request))


class DriftRevert(_ActionView):
    """The revert of a field."""

    @extend_schema(
        summary="Revert drift",
        request=DriftResolveSerializer,
        responses=DriftSerializer,
        examples=examples.REVERT,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Start the saga `revert_drift`, which puts the field back; `revert_saga_id` names it.

        The row stays open until the saga is completed and a sweep finds the field as desired. 422 with the
        reason for a field that DigitalOcean can't put back; 409 as for accepting, for a protected resource,
        and while a saga puts it back already.
        """
        # Before the provider is asked: a bad body costs no call.
        body = read_body(DriftResolveSerializer, request)
        refresh_offer(kind="revert_drift")
        return self.run_action(request, pk, revert_drift, body)


class DriftIgnore(_ActionView):
    """The ignoring of a field."""

    @extend_schema(
        summary="Ignore drift",
        request=DriftIgnoreSerializer,
        responses=DriftSerializer,
        examples=examples.IGNORE,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Make an ignore rule for the field of this resource, for good or until `expires_at`."""
        return self.run_action(request, pk, ignore_drift, read_body(DriftIgnoreSerializer, request))


class DriftBulk(ApiView):
    """An action on many rows."""

    permission_classes = (OperatorOnly,)

    @extend_schema(
        summary="Accept, revert or ignore many",
        request=DriftBulkSerializer,
        responses=DriftBulkAnswerSerializer,
        examples=examples.BULK,
    )
    def post(self, request: Request) -> Response:
        """Do it to each row, with an answer per id: what one row refuses holds up none of the others.

        Fields of one resource that are reverted together are put back by one saga.
        """
        values = read_body(DriftBulkSerializer, request)
        action = DriftAction(values["action"])
        if action == DriftAction.REVERT:
            refresh_offer(kind="revert_drift")
        results = act_on_many(
            action=action,
            drift_pks=values["ids"],
            actor=caller(request).actor,
            at=timezone.now(),
            reason=values["reason"],
            expires_at=values["expires_at"],
        )
        return Response(DriftBulkAnswerSerializer({"results": results}).data)


class DriftSummaryView(ApiView):
    """The counts of the inbox."""

    permission_classes = (OperatorOnly,)

    @extend_schema(summary="Summarize drift", responses=DriftSummarySerializer, examples=examples.SUMMARY)
    def get(self, _request: Request) -> Response:
        """Count what is open and ignored, and how many live resources have a desired state, by kind."""
        return Response(DriftSummarySerializer(summarize_drift()).data)
