"""One shape for every error under /api: problem details. Source: RFC 9457.

Views raise; `exception_handler` answers. What never reaches a view (unknown paths, hosts, a crash)
comes to the `handler…` views below, which leave the console's pages to Django.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from psycopg.errors import ReadOnlySqlTransaction
from rest_framework import exceptions
from rest_framework.settings import api_settings

from arcadia_cloud.kernel.errors import DomainError

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:arcadia-cloud:problem:"
_RETRY_AFTER_SECONDS: Final = "5"
# What to send, in place of the library's words.
_HINTS: Final[Mapping[type[exceptions.APIException], str]] = {
    exceptions.NotAuthenticated: "Send a token, as the header Authorization: Bearer <token>.",
    exceptions.NotAcceptable: "Accept asks for nothing that is served here; ask for application/json.",
}
# What a view raises to refuse; anything else that it raises is our own fault.
REFUSALS: Final = (DomainError, exceptions.APIException, Http404, PermissionDenied)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the client gets it. `code` is stable; `errors` names fields, parameters or headers."""

    status: int
    code: str
    detail: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JsonResponse:
        """Render it, with the request's id from the log's context."""
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        body = {
            "type": TYPE_PREFIX + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": dict(self.errors),
            "request_id": request_id,
        }
        headers = {**self.headers, "X-Request-ID": request_id}
        return JsonResponse(body, status=self.status, content_type=MEDIA_TYPE, headers=headers)


class TooLarge(exceptions.APIException):
    """A body beyond the limit."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class LengthRequired(exceptions.APIException):
    """A body in chunks, without a Content-Length. Source: RFC 9110, section 15.5.12."""

    status_code = HTTPStatus.LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = "Send the body with its Content-Length: one in chunks is not taken."


class PreconditionFailed(exceptions.APIException):
    """The object is no longer the one that the client has seen."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_code = "precondition_failed"
    default_detail = "The object has changed since; read it again."


class PreconditionRequired(exceptions.APIException):
    """A change without `If-Match` could undo somebody else's. Source: RFC 6585, section 3."""

    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_code = "precondition_required"
    default_detail = "Send If-Match with the ETag that you have read."


def exception_handler(exc: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's hook: a Problem for what is understood, None (a 500) for what isn't."""
    problem = problem_of(exc)
    return problem.response() if problem else None


def problem_of(exc: Exception) -> Problem | None:
    """Return what an exception means to the client; None for one that is our own fault."""
    if isinstance(exc, DomainError):
        wait = exc.retry_after_seconds
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return Problem(exc.status, exc.code, exc.detail, exc.errors, headers)
    if isinstance(exc, OperationalError | InterfaceError) or isinstance(
        exc.__cause__,
        ReadOnlySqlTransaction,  # as a standby refuses writes until it is promoted
    ):
        log.error("database_unavailable", error=type(exc).__name__)
        return Problem(
            503, "database_unavailable", "Try again soon.", headers={"Retry-After": _RETRY_AFTER_SECONDS}
        )
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        exc = TooLarge("The body is larger than this service takes.")
    elif isinstance(exc, UnreadablePostError):
        exc = exceptions.ParseError("The body ended before it was complete.")
    return _problem_of_api_exception(exc) if isinstance(exc, exceptions.APIException) else None


def _problem_of_api_exception(exc: exceptions.APIException) -> Problem:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(exc, exceptions.ValidationError):
        errors = _flatten(exc.detail)
        general = " ".join(errors.pop("", []))
        return Problem(exc.status_code, "invalid", general or "The request is not valid.", errors, headers)
    detail = _HINTS.get(type(exc), str(exc.detail))
    if isinstance(exc, exceptions.UnsupportedMediaType):
        detail = f"{exc.detail} Send JSON, with Content-Type: application/json."
    return Problem(exc.status_code, str(exc.default_code), detail, headers=headers)


def _flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Return serializer errors, however nested, as `{"items.0.kind": [rule]}`; "" is for none of them."""
    if isinstance(detail, Mapping):
        pairs = [(str(name), value) for name, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(part, Mapping | list) for part in detail):
        pairs = [(str(index), value) for index, value in enumerate(detail)]
    else:
        words = detail if isinstance(detail, list) else [detail]
        return {prefix: [str(word) for word in words]}
    flat: dict[str, list[str]] = {}
    for name, value in pairs:
        path = prefix if name == api_settings.NON_FIELD_ERRORS_KEY else f"{prefix}.{name}".lstrip(".")
        for key, words in _flatten(value, path).items():
            flat.setdefault(key, []).extend(words)
    return flat


def _is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a refused host, a malformed request; often before the request has an id."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    known = structlog.contextvars.get_contextvars().get("request_id")
    with structlog.contextvars.bound_contextvars(request_id=known or str(uuid4())):
        log.warning("request_refused", error=type(exception).__name__)
        words = "The request is malformed, or names a host that isn't served here."
        return Problem(400, "bad_request", words).response()


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if not _is_api(request):
        return defaults.permission_denied(request, exception)
    return Problem(403, "permission_denied", "You may not do this.").response()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: a path that nothing answers."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return Problem(404, "not_found", "There is nothing at this address.").response()


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. What went wrong is in the log under the request's id, never in the answer.

    A database that is away, hangs or takes no writes for the moment is a 503: another try may succeed.
    """
    error = sys.exc_info()[1]  # that which Django is handling
    problem = problem_of(error) if isinstance(error, Exception) else None
    is_passing = problem is not None and problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    if problem is not None and is_passing and _is_api(request):
        return problem.response()
    if not _is_api(request):
        # The page asks nothing of the database: it is the one that doesn't answer.
        page = defaults.server_error(request, "503.html" if is_passing else "500.html")
        if is_passing:
            page.status_code, page.headers["Retry-After"] = (
                HTTPStatus.SERVICE_UNAVAILABLE,
                _RETRY_AFTER_SECONDS,
            )
        return page
    return Problem(500, "internal_error", "Something went wrong here; the log knows what.").response()
