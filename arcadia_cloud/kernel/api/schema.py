"""The OpenAPI schema's view of what every operation shares: its errors and its key."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.generics import RetrieveAPIView

from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer

_EVERYWHERE: Final = {
    "400": "A parameter or field is unknown or wrong; `errors` names it.",
    "406": "Only JSON is served.",
    "500": "Our fault; the log knows what.",
    "503": "The database is away; try again.",
}
_PROTECTED: Final = {
    "401": "No token, or not a valid one.",
    "403": "A valid token that may not do this.",
    "429": "Too many requests of this tenant; see Retry-After.",
}
_WITH_BODY: Final = {
    "409": "Right in itself, but not in the present state, or an Idempotency-Key with another body.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The rules of the domain refuse it.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes TokenAuthentication to the schema."""

    target_class = "arcadia_cloud.kernel.api.authentication.TokenAuthentication"
    name = "bearerToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemAutoSchema(AutoSchema):
    """Adds the errors that an operation may answer, each in the one problem shape."""

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = dict(super()._get_response_bodies(direction))  # type: ignore[arg-type]
        problems = dict(_EVERYWHERE)
        if self.view.authentication_classes:
            problems |= _PROTECTED
        if "{" in self.path:
            problems["404"] = "There is none, or none that this token may know of."
        if self.method in {"POST", "PUT", "PATCH"}:
            problems |= _WITH_BODY
        for status, words in problems.items():
            # What the view itself declares is more exact than the words that all operations share.
            if status not in bodies:
                answer = OpenApiResponse(ProblemSerializer, description=words)
                bodies[status] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    answer, status, [MEDIA_TYPE], direction
                )
        if self.method == "GET" and isinstance(self.view, RetrieveAPIView):
            bodies["200"]["headers"] = {
                "ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}
            }
            bodies["304"] = {"description": "The object still has the ETag that If-None-Match names."}
        if "429" in bodies:
            bodies["429"]["headers"] = {
                "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
            }
        return dict(sorted(bodies.items()))
