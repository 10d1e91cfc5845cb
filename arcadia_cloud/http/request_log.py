"""The request log: a line at the beginning and the end of each request, without secrets."""

import re
import time
from typing import Any, Final, cast

import structlog
from django.db import DatabaseError, InterfaceError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware
from django_structlog.signals import (
    bind_extra_request_failed_metadata,
    bind_extra_request_finished_metadata,
)

from arcadia_cloud.http.client_address import client_address

log = structlog.get_logger(__name__)
_VALUE: Final = re.compile(r"(?<==)[^&;]+")
_MASK: Final = "…"
_BEGAN: Final = "arcadia.began"  # of the request's META, seconds of the monotonic clock


class RequestLogMiddleware(RequestMiddleware):
    """Logs the client's address as our proxies vouch for it, and no value of a query string.

    A query may carry a token that a client put into the wrong place, and a search for a person. What is bound
    to a request's lines is bound to no other's: the thread serves the next one.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        request.META[_BEGAN] = time.monotonic()
        try:
            response = cast("HttpResponse", super().__call__(request))
        finally:
            # Its own clearing is left out by whatever is raised, on the way in or out.
            structlog.contextvars.clear_contextvars()
        return response

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Log the end, and give the response the request's id, which the library keeps to the log."""
        # Before the library's part, which forgets the id.
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            response.headers["X-Request-ID"] = request_id
        super().handle_response(request, response)

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Bind the user, unless the database that knows the session is away: the view answers that."""
        if getattr(request, "_has_no_session", False):
            return  # asked once: a database that hangs keeps each question waiting
        try:
            RequestMiddleware.bind_user_id(request)
        except (DatabaseError, InterfaceError) as error:
            setattr(request, "_has_no_session", True)  # noqa: B010 - the request's type has no such field
            log.warning("session_not_read", error=type(error).__name__)

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=client_address(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        query = request.META.get("QUERY_STRING", "")
        # What has no "=" may be the secret itself: `/api/v1/inventory?eyJhbGciOi…`.
        parts = [_VALUE.sub(_MASK, part) if "=" in part else _MASK for part in query.split("&") if part]
        return f"{request.method} {request.path}" + (f"?{'&'.join(parts)}" if parts else "")


@receiver([bind_extra_request_finished_metadata, bind_extra_request_failed_metadata])
def _add_duration_and_error(
    request: HttpRequest, log_kwargs: dict[str, Any], exception: Exception | None = None, **_kwargs: object
) -> None:
    """Add how long the request took until its response began, and what was raised, with its message."""
    log_kwargs["duration_ms"] = round((time.monotonic() - request.META[_BEGAN]) * 1000)
    if exception is not None:
        log_kwargs["error"] = f"{type(exception).__name__}: {exception}"
