"""Endpoints for tests alone: the real address space, and views that do on purpose what views shouldn't."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.urls import include, path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.etags import require_match, respond_with_etag
from arcadia_cloud.kernel.api.filters import FlagFilter, IdFilter
from arcadia_cloud.kernel.api.idempotent import idempotent
from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import StrictSerializer
from arcadia_cloud.kernel.api.views import ApiView
from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.urls import handler400, handler403, handler404, handler500

__all__ = ["FlagFilter", "IdFilter", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

RAISED: dict[str, Exception] = {
    "conflict": Conflict("It is already so."),
    "invalid": InvalidInput("Not like that.", errors={"size": ["is too small"]}),
    "missing": Http404(),
    "denied": PermissionDenied(),
    "database": OperationalError("connection to server at 10.1.2.3 failed"),
    "interface": InterfaceError("the connection is closed"),
    "crash": ZeroDivisionError("secret words"),
}


class Raises(ApiView):
    def get(self, _request: Request, name: str) -> Response:
        raise RAISED[name]


class Part(StrictSerializer):
    kind = serializers.ChoiceField(choices=["a", "b"])


class Body(StrictSerializer):
    name = serializers.CharField(max_length=5)
    price = serializers.DecimalField(max_digits=8, decimal_places=2, required=False)
    parts = Part(many=True, required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    labels = serializers.DictField(required=False)
    made = serializers.CharField(read_only=True)


class Echo(ApiView):
    def get(self, request: Request) -> Response:
        return Response({"actor": caller(request).actor})

    def post(self, request: Request) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({name: str(value) for name, value in body.validated_data.items()})


class Operators(ApiView):
    permission_classes = (OperatorOnly,)

    def get(self, _request: Request) -> Response:
        return Response({})


class Thing(ApiView):
    """One object, kept here."""

    data: ClassVar[dict[str, Any]] = {"name": "first"}

    def get(self, request: Request) -> Response:
        return respond_with_etag(request, self.data)

    def patch(self, request: Request) -> Response:
        require_match(request, self.data)
        return Response(self.data)


class Orders(ApiView):
    """Creates an alert row per call; `then` chooses what happens afterwards."""

    @idempotent
    def post(self, request: Request) -> Response:
        then = str(dict(request.data).get("then", ""))
        row = Alert.objects.create(
            code="order",
            subject=f"{caller(request).actor}:{Alert.objects.count()}:{timezone.now().timestamp()}",
            severity=Alert.Severity.WARNING,
            message="",
            raised_at=timezone.now(),
            last_raised_at=timezone.now(),
        )
        if then in RAISED:
            raise RAISED[then]
        status = {"answers 500": 500, "answers 422": 422}.get(then, 201)
        return Response({"z": 1, "a": str(row.pk)}, status=status, headers={"Location": f"/orders/{row.pk}"})


urlpatterns = [
    path("api/v1/probe/raises/<str:name>", Raises.as_view()),
    path("api/v1/probe/echo", Echo.as_view()),
    path("api/v1/probe/operators", Operators.as_view()),
    path("api/v1/probe/thing", Thing.as_view()),
    path("api/v1/probe/orders", Orders.as_view()),
    path("", include("arcadia_cloud.urls")),
]
