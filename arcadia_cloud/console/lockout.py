"""The page for a login that failed too often."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def render_lockout(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    _credentials: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render how long to wait; the same for names that exist and names that don't."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    # Nothing here depends on the name: the page must not give away which logins exist.
    context = {
        **admin.site.each_context(request),
        "title": "Locked",
        "failures": settings.AXES_FAILURE_LIMIT,
        "minutes": minutes,
    }
    page = render(request, "console/lockout.html", context, status=429)
    page["Retry-After"] = str(minutes * 60)
    return page
