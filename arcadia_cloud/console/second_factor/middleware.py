"""Middleware: nothing of the console opens before the second factor is passed."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.console.second_factor.policy import DueStep, due_step

# What stands before it: signing in, by either way, and the pages of the second factor itself.
_OPEN: Final = frozenset(
    {
        "admin:login",
        "admin:logout",
        "second_factor",
        "second_factor_code",
        "second_factor_enrolment",
        "oidc_authentication_init",
        "oidc_authentication_callback",
    }
)
_ROUTES: Final = "admin/"  # of arcadia_cloud.urls
_PAGES: Final = {DueStep.CODE: "second_factor_code", DueStep.ENROLMENT: "second_factor_enrolment"}


class SecondFactorMiddleware:
    """Sends who is signed in by a password alone, and needs more, to the page of the next step.

    It stands before every address below the console's, whoever serves it, so that no page can be forgotten.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        match = request.resolver_match
        # By the route: it has no prefix of the deployment, and the jobs are in no namespace of the admin's.
        if match is None or not match.route.startswith(_ROUTES) or match.view_name in _OPEN:
            return None
        user = request.user
        if not isinstance(user, User):
            return None
        page = _PAGES.get(due_step(request, user))
        if page is None:
            return None
        return HttpResponseRedirect(f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}")
