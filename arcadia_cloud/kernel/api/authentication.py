"""Bearer authentication: a verified token becomes a TokenUser; no table is asked."""

from typing import Final

import structlog
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError

from arcadia_cloud.kernel.tokens import TenantToken, TokenUser

MAX_HEADER_CHARACTERS: Final = 8192


class TokenAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <token>`. Without the header, the caller is anonymous."""

    def authenticate(self, request: Request) -> tuple[TokenUser, TenantToken] | None:
        """Raise AuthenticationFailed (401) for a header that isn't a valid token."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        if len(header) > MAX_HEADER_CHARACTERS:
            raise AuthenticationFailed("The Authorization header is too long.")
        scheme, _, raw_token = header.partition(" ")
        if scheme.lower() != "bearer" or not raw_token.isascii():
            raise AuthenticationFailed("The Authorization header must be 'Bearer' and a token.")
        try:
            token = TenantToken(raw_token.strip())
        except TokenError as error:
            raise AuthenticationFailed(f"{error}.") from error
        user = token.user()
        structlog.contextvars.bind_contextvars(tenant=user.tenant_id)
        return user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401. Source: RFC 6750, section 3."""
        challenge = 'Bearer realm="arcadia-cloud"'
        return f'{challenge}, error="invalid_token"' if request.META.get("HTTP_AUTHORIZATION") else challenge


def caller_if_any(request: Request) -> TokenUser | None:
    """Return the caller, or None for an anonymous one."""
    user: object = request.user  # REST framework's stubs only know users with rows
    return user if isinstance(user, TokenUser) else None


def caller(request: Request) -> TokenUser:
    """Return the caller. Raises NotAuthenticated (401) for an anonymous one."""
    user = caller_if_any(request)
    if user is None:
        raise NotAuthenticated
    return user
