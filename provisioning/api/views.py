"""The sagas API: operators start, cancel and retry them, tenants watch those of their deployments."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
from django.db.models import Prefetch
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.idempotent import HEADER, KEY_PARAMETER, idempotent
from arcadia_cloud.kernel.api.permissions import OperatorOnly, TenantsOnlyRead
from arcadia_cloud.kernel.api.serializers import read_body
from arcadia_cloud.kernel.api.tenant_views import ScopedView
from arcadia_cloud.kernel.api.views import ApiView, DetailView, ListView
from provisioning import registry
from provisioning.api import examples
from provisioning.api.filters import OperatorSagaFilter, SagaFilter
from provisioning.api.serializers import (
    KindsSerializer,
    NothingSerializer,
    OperatorSagaDetailSerializer,
    OperatorSagaSerializer,
    SagaDetailSerializer,
    SagaPlanRequestSerializer,
    SagaPlanSerializer,
    SagaSerializer,
    StartSerializer,
)
from provisioning.contract import Workflow
from provisioning.models import SagaRun, SagaStepResult
from provisioning.queries import plan_saga, saga_by_id
from provisioning.services import begin_saga, cancel_saga, refresh_offer, requeue_saga, retry_saga, start_saga

_LEDGER = Prefetch("steps", SagaStepResult.objects.order_by("step_idx"))
_LONG = ("inputs", "context")  # shown of one saga, not of a list


class _SagaView(ScopedView):
    """Sagas: a tenant's own, for operators everybody's."""

    tenant_filterset = SagaFilter
    operator_filterset = OperatorSagaFilter


def _respond(saga: SagaRun, *, status: int = 200) -> Response:
    """Return the saga with its ledger, as operators see it."""
    # Read again: a worker may have advanced it since, and the response is of one moment.
    fresh = SagaRun.objects.prefetch_related(_LEDGER).get(pk=saga.pk)
    headers = {"Location": reverse("saga-detail", args=[saga.pk])} if status == 201 else {}  # noqa: PLR2004
    return Response(OperatorSagaDetailSerializer(fresh).data, status=status, headers=headers)


@extend_schema_view(get=extend_schema(summary="List sagas", examples=examples.LIST))
class SagaList(_SagaView, ListView):
    """Sagas, newest first: a tenant's own, for operators everybody's."""

    permission_classes = (TenantsOnlyRead,)

    rows = SagaRun.objects.defer(*_LONG)
    tenant_serializer = SagaSerializer
    operator_serializer = OperatorSagaSerializer

    @extend_schema(
        summary="Start a saga",
        parameters=[KEY_PARAMETER],
        request=StartSerializer,
        responses={201: OperatorSagaDetailSerializer},
        examples=examples.START,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Start a workflow, now or at `start_at`. Only `platform_admin` may.

        An `Idempotency-Key` belongs to its saga for ever, beyond the 24 hours of the first answer: the same
        key and body never starts a second one. 409 while another saga works on the same thing, for a
        protected resource, and where DigitalOcean's account may have no more (`account_limit`). What
        couldn't be checked, since DigitalOcean gives no answer, stands in the context under `unchecked`.
        """
        # Before the transaction in which the key and the saga are written: no call is made inside one.
        if isinstance(request.data, dict):
            refresh_offer(kind=str(request.data.get("kind")))
        return self._start(request)

    @idempotent
    def _start(self, request: Request) -> Response:
        body = read_body(StartSerializer, request)
        saga = start_saga(
            kind=body["kind"],
            inputs=body["inputs"],
            actor=caller(request).actor,
            idempotency_key=_saga_key(request),
            start_at=body["start_at"],
            not_after=body["not_after"],
        )
        return _respond(saga, status=201)


def _saga_key(request: Request) -> str | None:
    """Return the caller's key as the saga stores it: of one length, and that caller's alone."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    user = caller(request)
    # Two callers may use the same key: each has its own saga.
    scoped = json.dumps([user.tenant_id, user.actor, key])
    return f"api:{hashlib.sha256(scoped.encode()).hexdigest()}"


@extend_schema_view(get=extend_schema(summary="Get a saga", examples=examples.DETAIL))
class SagaDetail(_SagaView, DetailView):
    """One saga with its ledger: the steps that were begun, in their order."""

    rows = SagaRun.objects.prefetch_related(_LEDGER)
    tenant_serializer = SagaDetailSerializer
    operator_serializer = OperatorSagaDetailSerializer

    def get_queryset(self) -> Any:  # Any: DRF's stubs bind the view to one model
        sagas = super().get_queryset()
        return sagas if self.shows_all else sagas.defer(*_LONG)


class _ActionView(ApiView):
    """An operator's action on a saga; a body has no field."""

    permission_classes = (OperatorOnly,)

    def run_action(self, request: Request, act: Callable[[], SagaRun]) -> SagaRun:
        """Refuse a body with fields, and act."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        return act()


class SagaPlan(ApiView):
    """The plan of a saga."""

    permission_classes = (OperatorOnly,)

    @extend_schema(
        summary="Plan a saga",
        request=SagaPlanRequestSerializer,
        responses=SagaPlanSerializer,
        examples=examples.PLAN,
    )
    def post(self, request: Request) -> Response:
        """Answer what a start would do, and what would hold it, without starting anything.

        400 for inputs that could never be started. What refuses a start for the present state (a protected
        resource, another saga, the account's limits) is a brake whose outcome is `refused`.
        """
        body = read_body(SagaPlanRequestSerializer, request)
        refresh_offer(kind=body["kind"])
        return Response(SagaPlanSerializer(plan_saga(**body)).data)


class SagaBegin(_ActionView):
    """The beginning of a scheduled saga, before its time."""

    @extend_schema(
        summary="Begin a scheduled saga",
        request=None,
        responses=OperatorSagaDetailSerializer,
        examples=examples.BEGIN,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Have it begin at once, once its inputs are checked again.

        409 when it waits for no start, and for what refuses a start.
        """
        refresh_offer(kind=saga_by_id(pk).kind)
        return _respond(self.run_action(request, lambda: begin_saga(saga_id=pk)))


class SagaCancel(_ActionView):
    """The cancellation of a saga."""

    @extend_schema(
        summary="Cancel a saga",
        request=None,
        responses=OperatorSagaDetailSerializer,
        examples=examples.ACTION,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Undo it from its next step boundary on, or at once while it waits; a repeat changes nothing.

        409 when it is too late: it has ended, or is going back already.
        """
        actor = caller(request).actor
        return _respond(self.run_action(request, lambda: cancel_saga(saga_id=pk, actor=actor)))


class SagaRequeue(_ActionView):
    """A nudge for a saga."""

    @extend_schema(
        summary="Re-enqueue a saga",
        request=None,
        responses=OperatorSagaDetailSerializer,
        examples=examples.ACTION,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask a worker to look at a live saga now; harmless at any time. 409 when it has ended."""
        return _respond(self.run_action(request, lambda: requeue_saga(saga_id=pk)))


class SagaRetry(_ActionView):
    """The retry of a saga."""

    @extend_schema(
        summary="Retry a saga",
        request=None,
        responses={
            200: OpenApiResponse(OperatorSagaDetailSerializer, description="The dead letter goes on."),
            201: OpenApiResponse(OperatorSagaDetailSerializer, description="A new saga, `retry_of` this."),
        },
        examples=examples.RETRY,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Let a `failed` saga go on where it stood; start a `rolled_back` one again, once, with its inputs.

        409 in any other state, and while this build lacks a step that is still to come.
        """
        actor = caller(request).actor
        saga = self.run_action(request, lambda: retry_saga(saga_id=pk, actor=actor))
        return _respond(saga, status=200 if saga.pk == pk else 201)


class SagaKinds(ApiView):
    """The workflows that can be started, and their inputs."""

    permission_classes = (OperatorOnly,)

    @extend_schema(summary="List workflows", responses=KindsSerializer, examples=examples.KINDS)
    def get(self, _request: Request) -> Response:
        """Every workflow with the JSON Schema of its inputs."""
        return Response({"results": [_kind(workflow) for workflow in registry.workflows().values()]})


def _kind(workflow: Workflow) -> dict[str, Any]:
    schema = msgspec.json.schema(workflow.inputs)
    own = schema["$defs"].get(workflow.inputs.__name__, {})
    return {
        "kind": workflow.kind,
        "title": workflow.title or workflow.kind.replace("_", " "),
        "description": own.get("description", ""),
        "deadline_seconds": round(workflow.deadline_seconds),
        "inputs": schema,
    }
