"""The authentication backend of single sign-on: accepts an ID token, and admits its person."""

from collections.abc import Mapping
from typing import Any, Final

import jwt
import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from requests import RequestException

from arcadia_cloud.console.sign_in_settings import SingleSignOn
from arcadia_cloud.console.single_sign_on.admission import admit_person
from arcadia_cloud.console.single_sign_on.errors import SignInRefused

log = structlog.get_logger(__name__)
_LEEWAY_SECONDS: Final = 30  # as for the API's tokens: what clocks may differ by
_REQUIRED: Final = ("iss", "aud", "exp", "iat", "sub")


class SingleSignOnBackend(OIDCAuthenticationBackend):  # type: ignore[misc] # mozilla-django-oidc has no types
    """Accepts the code that the provider sent to our callback, and nothing else.

    Refusals are raised, not returned: Django would count None as a failed password of no name, and five
    people without a group would lock out their office.
    """

    # `nonce` has no default: a login by password doesn't fit, and Django passes this backend over. With one,
    # a code in that form's address would be taken, bound to no session of the browser.
    def authenticate(
        self, request: HttpRequest, *, nonce: str, code_verifier: str | None = None
    ) -> User | None:
        """Return the code's person. Raises SignInRefused."""
        try:
            user: User | None = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        except (
            SuspiciousOperation, jwt.PyJWTError, RequestException, LookupError, TypeError, ValueError,
        ) as error:  # fmt: skip
            # The words of these two quote no answer of the provider's, which might hold a token.
            is_safe = isinstance(error, SuspiciousOperation | jwt.PyJWTError)
            reason = str(error) if is_safe else ""
            log.warning("single_sign_on_refused", error=type(error).__name__, reason=reason)
            raise SignInRefused(
                "The identity provider's answer was not accepted. Try again; the log has the reason."
            ) from error
        return user

    def get_payload_data(self, token: str, key: Any) -> dict[str, Any]:
        """Return the ID token's claims. Raises PyJWTError unless it is the provider's, for us, and in force.

        OpenID Connect Core 1.0, 3.1.3.7; the nonce is compared by the caller.
        """
        provider = _provider()
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],  # never the header's own word
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": list(_REQUIRED)},
        )
        # Signed for a client of another name, which may pass it on to us among its audiences.
        if claims.get("azp", provider.client_id) != provider.client_id:
            raise jwt.InvalidAudienceError("azp is another client")
        return claims

    def get_or_create_user(self, _access_token: str, _id_token: str, payload: Mapping[str, Any]) -> User:
        """Return the person of the claims. The ID token has them: no second question to the provider."""
        return admit_person(payload, _provider())

    def get_user(self, user_id: int) -> User | None:
        """Return a session's user unless switched off; the library's own returns those, too."""
        user = ModelBackend.get_user(self, user_id)
        return user if isinstance(user, User) else None


def _provider() -> SingleSignOn:
    """Return the identity provider that is set. Raises SignInRefused where there is none."""
    provider = settings.ARCADIA_SINGLE_SIGN_ON
    if provider is None:
        raise SignInRefused("There is no single sign-on here.")
    return provider
