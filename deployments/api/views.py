"""The deployments API: tenants run their own, operators all of them."""

from typing import Any, ClassVar

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.etags import etag_of, require_match
from arcadia_cloud.kernel.api.idempotent import idempotent
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer, read_body
from arcadia_cloud.kernel.api.tenant_views import ScopedView, is_operator
from arcadia_cloud.kernel.api.views import DetailView, ListView, StrictQueryMixin
from deployments.api import examples
from deployments.api.filters import DeploymentFilter, OperatorDeploymentFilter
from deployments.api.serializers import (
    AttachSerializer,
    ChangePlanSerializer,
    ChangeSerializer,
    CreateSerializer,
    DeploymentDetailSerializer,
    DeploymentSerializer,
    OperatorChangeSerializer,
    OperatorCreateSerializer,
    OperatorDeploymentDetailSerializer,
    OperatorDeploymentSerializer,
    SubscribeSerializer,
    TransitionResultSerializer,
    TransitionSerializer,
)
from deployments.models import Deployment
from deployments.services import (
    attach_addon,
    change_plan_version,
    create_deployment,
    create_subscription,
    detach_addon,
    lock_deployment,
    transition,
    update_deployment,
)
from deployments.values import ChangeTime

_IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag that was read.",
    required=True,
)
_CHANGED_MEANWHILE = OpenApiResponse(ProblemSerializer, description="It has changed since; read it again.")
_NO_IF_MATCH = OpenApiResponse(ProblemSerializer, description="Send If-Match.")
_NOT_YOURS = OpenApiResponse(
    ProblemSerializer, description="The move is the operator's, or not your token's."
)


class _DeploymentView(ScopedView):
    """Deployments: a tenant's own, for operators everybody's."""

    rows = Deployment.objects.all()
    tenant_serializer: ClassVar[type[DeploymentSerializer]] = DeploymentDetailSerializer
    operator_serializer: ClassVar[type[DeploymentSerializer]] = OperatorDeploymentDetailSerializer
    tenant_filterset = DeploymentFilter
    operator_filterset = OperatorDeploymentFilter

    def respond(self, deployment_pk: int, *, status: int = 200, **more: Any) -> Response:
        """Return the deployment as it is now, with `more` fields."""
        # Read again: what a service returns is its own view of some of the rows.
        fresh = self.rows.all().get(pk=deployment_pk)
        data = self.get_serializer_class()(fresh, context=self.get_serializer_context()).data
        headers = {"Location": reverse("deployment-detail", args=[deployment_pk])} if status == 201 else {}  # noqa: PLR2004
        return Response({**data, **more}, status=status, headers=headers)


@extend_schema_view(get=extend_schema(summary="List deployments", examples=examples.LIST))
class DeploymentList(_DeploymentView, ListView):
    """Deployments, newest first: a tenant's own, for operators everybody's."""

    tenant_serializer = DeploymentSerializer
    operator_serializer = OperatorDeploymentSerializer

    @extend_schema(
        summary="Create a deployment",
        request=OperatorCreateSerializer,
        responses={201: OperatorDeploymentDetailSerializer},
        examples=examples.CREATE,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a deployment: for the caller's own tenant; an operator names the tenant.

        It begins `active`, in `trial` where that is asked for. 409 for a slug that the tenant has already.
        """
        user = caller(request)
        body = read_body(OperatorCreateSerializer if user.is_operator else CreateSerializer, request)
        # A tenant's own id comes from its token, never from the body.
        tenant = {} if user.is_operator else {"tenant_id": user.tenant_id}
        deployment = create_deployment(**{**body, **tenant}, actor=user.actor, at=timezone.now())
        shown = OperatorDeploymentDetailSerializer if user.is_operator else DeploymentDetailSerializer
        address = reverse("deployment-detail", args=[deployment.pk])
        return Response(shown(deployment).data, status=201, headers={"Location": address})


@extend_schema_view(get=extend_schema(summary="Get a deployment", examples=examples.DETAIL))
class DeploymentDetail(_DeploymentView, DetailView):
    """One deployment with its subscription, add-ons, latest events and the moves that the caller may make."""

    @extend_schema(
        summary="Change a deployment",
        request=OperatorChangeSerializer,
        parameters=[_IF_MATCH],
        responses={
            200: OperatorDeploymentDetailSerializer,
            (412, MEDIA_TYPE): _CHANGED_MEANWHILE,
            (428, MEDIA_TYPE): _NO_IF_MATCH,
        },
        examples=examples.CHANGE,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change its name; operators also the region, the LLM mode and the override. Needs `If-Match`."""
        user = caller(request)
        with transaction.atomic():
            # Found first as the caller may see it, then locked: a stranger's is a 404 before all else.
            found = self.get_object()
            require_match(request, self.get_serializer(lock_deployment(found.pk)).data)
            body = read_body(OperatorChangeSerializer if user.is_operator else ChangeSerializer, request)
            update_deployment(deployment_pk=pk, changes=body, actor=user.actor, at=timezone.now())
            response = self.respond(pk)
        response.headers["ETag"] = etag_of(response.data)
        return response


class _ActionView(_DeploymentView, StrictQueryMixin):
    """An action on one deployment. A stranger's is a 404, whatever the body."""

    filter_backends = ()


class DeploymentTransition(_ActionView):
    """A deployment's move to another state."""

    @extend_schema(
        summary="Move a deployment to another state",
        request=TransitionSerializer,
        responses={
            200: OpenApiResponse(TransitionResultSerializer, description="It is in that state now."),
            202: OpenApiResponse(
                TransitionResultSerializer, description="A saga, `saga_id`, moves it when it completes."
            ),
            (403, MEDIA_TYPE): _NOT_YOURS,
        },
        examples=examples.TRANSITION,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Move it by the lifecycle's map, and its subscription with it.

        A tenant may move its own from active to paused and back, and cancel it. A move that the map lacks is
        a 422 with the moves that it has; 409 where another request moved it meanwhile. Pausing, suspending
        and resuming one that has machines is done by a saga.
        """
        self.get_object()
        body = read_body(TransitionSerializer, request)
        result = transition(
            deployment_pk=pk,
            **body,
            actor=caller(request).actor,
            at=timezone.now(),
            as_tenant=not is_operator(request),
        )
        # Accepted, not done: the body still shows the state before.
        response = self.respond(pk, status=202 if result.saga_id else 200, saga_id=result.saga_id)
        if result.saga_id:
            response.headers["Location"] = reverse("saga-detail", args=[result.saga_id])
        return response


class DeploymentSubscribe(_ActionView):
    """A deployment's subscription."""

    @extend_schema(
        summary="Subscribe a deployment",
        request=SubscribeSerializer,
        responses={201: OperatorDeploymentDetailSerializer},
        examples=examples.SUBSCRIBE,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Subscribe it to a plan's active version, with add-ons at today's prices.

        The first period is the running month. 404 for a plan that isn't offered to the deployment's tenant,
        409 where it is subscribed already.
        """
        self.get_object()
        body = read_body(SubscribeSerializer, request)
        create_subscription(deployment_pk=pk, **body, actor=caller(request).actor, at=timezone.now())
        return self.respond(pk, status=201)


class DeploymentAddons(_ActionView):
    """The add-ons of a deployment's subscription."""

    @extend_schema(
        summary="Attach an add-on",
        request=AttachSerializer,
        responses={201: OperatorDeploymentDetailSerializer},
        examples=examples.ATTACH,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Attach an add-on from today on, at the price and quantity of today, which it keeps."""
        self.get_object()
        body = read_body(AttachSerializer, request)
        attach_addon(deployment_pk=pk, **body, actor=caller(request).actor, at=timezone.now())
        return self.respond(pk, status=201)


class DeploymentAddon(_ActionView):
    """One add-on of a deployment's subscription."""

    @extend_schema(summary="Detach an add-on", request=None, responses={204: None}, examples=examples.DETACH)
    def delete(self, request: Request, pk: int, code: str) -> Response:
        """Detach an add-on: today is its first day without, its only one with where it came today."""
        self.get_object()
        detach_addon(deployment_pk=pk, code=code, actor=caller(request).actor, at=timezone.now())
        return Response(status=204)


class DeploymentChangePlan(_ActionView):
    """The plan of a deployment's subscription."""

    @extend_schema(
        summary="Change the plan",
        request=ChangePlanSerializer,
        responses={200: OperatorDeploymentDetailSerializer},
        examples=examples.CHANGE_PLAN,
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Move the subscription to a plan's active version: another plan, or the new price of its own.

        Without proration a dearer version counts at once for the whole period, a cheaper one with the next.
        The present plan undoes a change that has yet to come.
        """
        self.get_object()
        body = read_body(ChangePlanSerializer, request)
        when = body.get("when")
        change_plan_version(
            deployment_pk=pk,
            plan_code=body["plan_code"],
            when=ChangeTime(when) if when else None,
            actor=caller(request).actor,
            at=timezone.now(),
        )
        return self.respond(pk)
