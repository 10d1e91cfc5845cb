"""The token that opens finance, and nothing here.

It is made for one call, lives five minutes, and names finance as its audience: our own API refuses it, even
where both services share one secret.
"""

import time
from typing import Final
from uuid import uuid4

import jwt
import requests
from django.conf import settings
from requests.auth import AuthBase

from arcadia_cloud.live_secret import LiveSecret

LIFETIME_SECONDS: Final = 300
_OWN_SECRET: Final = LiveSecret("SKYAI_FINANCE_JWT_SECRET")
_SHARED_SECRET: Final = LiveSecret("ARCADIA_JWT_SECRET")


def finance_secret() -> str:
    """Return the secret of finance's tokens, as its file has it now: ours, where it has none of its own."""
    at_start: str = settings.SKYAI_FINANCE_JWT_SECRET
    is_shared = at_start == settings.ARCADIA_JWT_SECRET and not _OWN_SECRET.has_file
    return (_SHARED_SECRET if is_shared else _OWN_SECRET).value(at_start)


class FinanceAuth(AuthBase):
    """Signs each request as it leaves: a rotated secret counts at once, and no session holds a token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        now = int(time.time())
        token = jwt.encode(
            {
                "iss": settings.ARCADIA_JWT_ISSUER,
                "aud": settings.SKYAI_FINANCE_JWT_AUDIENCE,
                "sub": "arcadia-cloud",
                "typ": "access",
                "jti": str(uuid4()),
                "iat": now,
                "nbf": now - 1,
                "exp": now + LIFETIME_SECONDS,
                "tenant_id": settings.SKYAI_FINANCE_TENANT_ID,
                "roles": settings.SKYAI_FINANCE_ROLES,
            },
            finance_secret(),
            algorithm=settings.ARCADIA_JWT_ALGORITHM,
        )
        request.headers["Authorization"] = f"Bearer {token}"
        return request
