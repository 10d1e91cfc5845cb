"""The two addresses of single sign-on: to the provider, and back."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from arcadia_cloud.console.single_sign_on.errors import SignInRefused

log = structlog.get_logger(__name__)


class SignInRequestView(OIDCAuthenticationRequestView):  # type: ignore[misc] # mozilla-django-oidc has no types
    """Sends the browser to the provider, with a state, a nonce and a PKCE challenge of its session."""


class SignInCallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc] # as above
    """Takes the provider's code and signs its person in; a refusal is shown on the login page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        # Not left to the library: it would log out whoever a stranger's link leads here.
        if "error" in request.GET:
            log.warning("single_sign_on_failed", error=request.GET["error"][:100])
            return self._refuse("The identity provider ended the sign-in.")
        try:
            response: HttpResponse = super().get(request)
        except SignInRefused as refusal:
            return self._refuse(refusal.detail)
        except SuspiciousOperation:  # a state that this browser's session hasn't asked with, or has used
            return self._refuse("This sign-in wasn't begun in this browser, or is over. Begin again.")
        return response

    def login_failure(self) -> HttpResponse:
        return self._refuse("This sign-in wasn't begun in this browser, or is over. Begin again.")

    def _refuse(self, reason: str) -> HttpResponse:
        messages.error(self.request, reason)
        return redirect("admin:login")


def with_provider(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return the view, as an address that isn't there where no provider is set."""

    def answer(request: HttpRequest) -> HttpResponse:
        if settings.ARCADIA_SINGLE_SIGN_ON is None:
            raise Http404
        return view(request)

    return answer
