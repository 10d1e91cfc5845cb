"""Middleware: headers and rules for whole branches of the address space."""

from collections.abc import Callable
from typing import Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.api.throttles import RATE_LIMIT

# What the admin theme needs: Alpine.js compiles expressions, and templates carry inline scripts and styles.
CONSOLE_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Swagger UI sets styles on elements, and its page has a <style>; its scripts are files.
DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A page of an error, which loads one style sheet: what is neither the console nor the API has no other pages.
ERROR_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    """Sets what a page may load and run: for all but the console and the documentation, nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        path = request.path_info
        policy = API_POLICY if path.startswith("/api") else ERROR_POLICY
        policy = CONSOLE_POLICY if path.startswith("/admin/") else policy
        policy = DOCS_POLICY if path == "/api/docs" else policy
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class ApiMiddleware:
    """Ignores cookies under /api: tokens alone count, and no session is looked up for a health check.

    Responses there are the caller's own, so no cache between us and them may store them; their headers have
    what the caller has left of its limit.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        request.COOKIES.clear()
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in request.META.get(RATE_LIMIT, {}).items():
            response.headers[name] = value
        return response


class RejectNulMiddleware:
    """Rejects an address with a NUL in the console: PostgreSQL stores none.

    The lists' filters, and the pages of rows with text for a key, pass it to the database as it comes. The
    API's own refuse it by name.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raise BadRequest (400)."""
        if request.path_info.startswith("/admin/") and (
            "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path_info
        ):
            raise BadRequest("the address has a NUL character")
        return self.get_response(request)
