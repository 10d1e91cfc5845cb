"""The request log: a line at the beginning and the end of each request, without secrets."""

import re
from typing import Final

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from arcadia_cloud.http.client_address import client_address

_VALUE: Final = re.compile(r"(?<==)[^&;]+")
_MASK: Final = "…"


class RequestLogMiddleware(RequestMiddleware):
    """Logs the client's address as our proxies vouch for it, and no value of a query string.

    A query may carry a token that a client put into the wrong place, and a search for a person.
    """

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=client_address(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        query = request.META.get("QUERY_STRING", "")
        # What has no "=" may be the secret itself: `/api/v1/inventory?eyJhbGciOi…`.
        parts = [_VALUE.sub(_MASK, part) if "=" in part else _MASK for part in query.split("&") if part]
        return f"{request.method} {request.path}" + (f"?{'&'.join(parts)}" if parts else "")
