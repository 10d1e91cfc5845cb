"""Health and readiness of the service. Both public, for load balancers."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel import readiness
from arcadia_cloud.kernel.api.examples import answer
from arcadia_cloud.kernel.api.views import ApiView

_WELL: Final = {"ok": True, "words": "answers"}
_READY: Final = {
    "status": "degraded",
    "checks": {"database": _WELL, "broker": {"ok": False, "words": "takes no message (ConnectionError)"}},
}
_NOT_READY: Final = {
    "status": "not ready",
    "checks": {"database": {"ok": False, "words": "no answer within 2 s"}, "broker": _WELL},
}


class HealthSerializer(serializers.Serializer[Any]):
    """A sign of life."""

    service = serializers.CharField()
    status = serializers.CharField()


class CheckSerializer(serializers.Serializer[Any]):
    """The result of one check."""

    ok = serializers.BooleanField()
    words = serializers.CharField(help_text="What was found, in words.")


class ReadinessSerializer(serializers.Serializer[Any]):
    """The result of every check."""

    status = serializers.ChoiceField(
        choices=["ready", "degraded", "not ready"],
        help_text="`degraded`: something isn't well, requests are.",
    )
    checks = serializers.DictField(child=CheckSerializer(), help_text="By the name of what was checked.")


class HealthView(ApiView):
    """Liveness: the process answers, whatever the database and the broker do."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        summary="Is the service alive?",
        responses=HealthSerializer,
        examples=[answer({"service": "arcadia-cloud", "status": "ok"})],
    )
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
        examples=[answer(_READY, status=200), answer(_NOT_READY, name="Not ready", status=503)],
    )
    def get(self, _request: Request) -> Response:
        """Ask the database, the broker, the migrations and what apps have added."""
        results = readiness.run_checks()
        ready = all(result.ok or not result.vital for result in results.values())
        well = all(result.ok for result in results.values())
        checks = {name: {"ok": result.ok, "words": result.message} for name, result in results.items()}
        body = {"status": "ready" if well else "degraded" if ready else "not ready", "checks": checks}
        return Response(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
