"""Health and readiness of the service. Both public, for load balancers."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel import readiness
from arcadia_cloud.kernel.api.views import ApiView


class HealthSerializer(serializers.Serializer[Any]):
    service = serializers.CharField()
    status = serializers.CharField()


class CheckSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    words = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ready", "degraded", "not ready"])
    checks = serializers.DictField(child=CheckSerializer())


class HealthView(ApiView):
    """Liveness: the process answers, whatever the database and the broker do."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(summary="Is the service alive?", responses=HealthSerializer, tags=["health"])
    def get(self, _request: Request) -> Response:
        """Answer without looking at anything else."""
        return Response({"service": "arcadia-cloud", "status": "ok"})


class ReadinessView(ApiView):
    """Readiness: 200 where all that a request needs is there, else 503. `degraded` is a 200."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        summary="Is the service ready for traffic?",
        responses={
            200: ReadinessSerializer,
            503: OpenApiResponse(
                ReadinessSerializer, description="Something that requests need isn't there."
            ),
        },
        tags=["health"],
    )
    def get(self, _request: Request) -> Response:
        """Ask the database, the broker, the migrations and what apps have added."""
        results = readiness.run_checks()
        ready = all(result.ok or not result.vital for result in results.values())
        well = all(result.ok for result in results.values())
        checks = {name: {"ok": result.ok, "words": result.message} for name, result in results.items()}
        body = {"status": "ready" if well else "degraded" if ready else "not ready", "checks": checks}
        return Response(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
