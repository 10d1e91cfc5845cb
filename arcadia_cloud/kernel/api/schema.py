"""The OpenAPI schema's view of what every operation shares: its errors, its headers and its key.

A shared error and a header stand once among the components, with an example, and are referred to.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiResponse
from rest_framework.generics import RetrieveAPIView

from arcadia_cloud.kernel.api.examples import problem_value
from arcadia_cloud.kernel.api.problems import MEDIA_TYPE
from arcadia_cloud.kernel.api.serializers import ProblemSerializer


@dataclass(frozen=True, slots=True)
class _SharedProblem:
    """An error that many operations may answer: when, and an example of it."""

    words: str
    code: str
    detail: str
    field: str = ""
    rule: str = ""


_EVERYWHERE: Final = {
    "400": _SharedProblem(
        "A parameter or field is unknown or wrong; `errors` names it.",
        "invalid", "The request is not valid.", "colour", "There is no such query parameter.",
    ),
    "406": _SharedProblem(
        "Only JSON is served.",
        "not_acceptable", "Accept asks for nothing that is served here; ask for application/json."
    ),
    "500": _SharedProblem(
        "Our fault; the log knows what.", "internal_error", "Something went wrong here; the log knows what."
    ),
    "503": _SharedProblem("The database is away; try again.", "database_unavailable", "Try again soon."),
}  # fmt: skip
_PROTECTED: Final = {
    "401": _SharedProblem(
        "No token, or not a valid one; `detail` says why.", "authentication_failed", "Token is expired."
    ),
    "403": _SharedProblem(
        "A valid token that may not do this.",
        "permission_denied",
        "Only the role platform_admin may do this.",
    ),
    "429": _SharedProblem(
        "Too many requests of this tenant; see Retry-After.",
        "throttled", "Request was throttled. Expected available in 17 seconds.",
    ),
}  # fmt: skip
_WITH_BODY: Final = {
    "409": _SharedProblem(
        "Right in itself, but not in the present state, or an Idempotency-Key with another body.",
        "idempotency_key_reused", "This Idempotency-Key was used for a request with another body.",
        "Idempotency-Key", "Was used with another body.",
    ),
    "411": _SharedProblem(
        "The body comes in chunks, without its length.",
        "length_required", "Send the body with its Content-Length: one in chunks is not taken.",
    ),
    "413": _SharedProblem("The body is too large.", "too_large", "The body is larger than 10485760 bytes."),
    "415": _SharedProblem(
        "The body is not JSON.",
        "unsupported_media_type",
        'Unsupported media type "text/csv" in request. Send JSON, with Content-Type: application/json.',
    ),
    "422": _SharedProblem(
        "The rules of the domain refuse it.", "illegal_transition", "droplet:480012156: gone -> active"
    ),
}  # fmt: skip
_WITH_PATH: Final = {
    "404": _SharedProblem("There is none, or none that this token may know of.", "not_found", "Not found.")
}
_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {"description": "Finds this request in the log.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Requests a minute of this tenant.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Those left in this minute.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until all are there again.", "schema": {"type": "integer"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
    "Location": {"description": "The address of what was made.", "schema": {"type": "string"}},
    "ETag": {"description": "For If-None-Match, and for If-Match.", "schema": {"type": "string"}},
}
_OF_LIMITED_ANSWERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes TokenAuthentication to the schema."""

    target_class = "arcadia_cloud.kernel.api.authentication.TokenAuthentication"
    name = "bearerToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemAutoSchema(AutoSchema):
    """Adds the errors that an operation may answer, each in the one problem shape, and the headers."""

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = dict(super()._get_response_bodies(direction))  # type: ignore[arg-type]
        for status, problem in self._shared_problems().items():
            # What the view itself declares is more exact than the words that all operations share.
            if status not in bodies:
                answer = OpenApiResponse(ProblemSerializer, description=problem.words)
                body = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    answer, status, [MEDIA_TYPE], direction
                )
                has_own_example = bool(body["content"][MEDIA_TYPE].get("examples"))
                bodies[status] = body if has_own_example else self._share(status, problem, body)
        if self.method == "GET" and isinstance(self.view, RetrieveAPIView):
            bodies["304"] = {"description": "The object still has the ETag that If-None-Match names."}
        for status, body in bodies.items():
            if "$ref" not in body:
                is_limited = bool(self.view.authentication_classes)
                reads_one = self.method == "GET" and isinstance(self.view, RetrieveAPIView)
                has_etag = status == "200" and (reads_one or self.method == "PATCH")
                names = (*_header_names(status, is_limited=is_limited), *(("ETag",) if has_etag else ()))
                body["headers"] = self._refer_to_headers(names)
        return dict(sorted(bodies.items()))

    def _shared_problems(self) -> dict[str, _SharedProblem]:
        return {
            **_EVERYWHERE,
            **(_PROTECTED if self.view.authentication_classes else {}),
            **(_WITH_PATH if "{" in self.path else {}),
            **(_WITH_BODY if self.method in {"POST", "PUT", "PATCH"} else {}),
        }

    def _share(self, status: str, problem: _SharedProblem, body: dict[str, Any]) -> dict[str, Any]:
        """Put an error among the components, unless it is there, and return the reference to it."""
        errors = {problem.field: problem.rule} if problem.field else {}
        value = problem_value(int(status), code=problem.code, detail=problem.detail, errors=errors)
        body["content"][MEDIA_TYPE]["examples"] = {"Problem": {"value": value}}
        body["headers"] = self._refer_to_headers(_header_names(status, is_limited=True))
        name = "".join(word for word in HTTPStatus(int(status)).phrase.title() if word.isalpha())
        return self._refer_to(name, ResolvedComponent.RESPONSE, body)

    def _refer_to_headers(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self._refer_to(name, ResolvedComponent.HEADER, _HEADERS[name]) for name in names}

    def _refer_to(self, name: str, component_type: str, schema: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name, component_type, schema=schema, object=ProblemSerializer
        )
        self.registry.register_on_missing(component)
        return dict(component.ref)


def _header_names(status: str, *, is_limited: bool) -> tuple[str, ...]:
    """Return the headers of an answer; `is_limited` where its operation counts against a tenant's limit."""
    # Only a request with a good token is counted.
    counted = _OF_LIMITED_ANSWERS if is_limited and status not in {"401", "500", "503"} else ()
    retry = ("Retry-After",) if is_limited and status in {"429", "503"} else ()
    location = ("Location",) if status in {"201", "202"} else ()
    return ("X-Request-ID", *counted, *retry, *location)
