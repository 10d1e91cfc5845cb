"""Tokens for tests: minted as Guardian does, whole or with something wrong."""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from jwt.api_jws import PyJWS

from arcadia_cloud.kernel.tokens import mint

GONE: Any = object()


def token_of(*roles: str, tenant: str | None = None, subject: str = "user-1") -> str:
    """A good token."""
    return mint(
        subject=subject, tenant_id=tenant, roles=list(roles), lifetime=timedelta(hours=1), at=timezone.now()
    )


def bearer(token: str) -> dict[str, str]:
    """The test client's headers for a token."""
    return {"Authorization": f"Bearer {token}"}


def forged(
    *, key: str | None = None, algorithm: str = "HS512", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """An operator's token with some claims changed or, set to GONE, left out."""
    now = int(timezone.now().timestamp())
    payload: dict[str, Any] = {
        "iss": settings.ARCADIA_JWT_ISSUER,
        "aud": settings.ARCADIA_JWT_AUDIENCE,
        "exp": now + 300,
        "iat": now,
        "nbf": now - 1,
        "jti": "8f0c2a54-9d0e-4d5a-8b55-1f1d5a1f2f11",
        "sub": "user-1",
        "typ": "access",
        "roles": ["platform_admin"],
    }
    payload = {name: value for name, value in {**payload, **claims}.items() if value is not GONE}
    return signed(json.dumps(payload).encode(), key=key, algorithm=algorithm, header=header)


def signed(
    payload: bytes, *, key: str | None = None, algorithm: str = "HS512", header: dict[str, Any] | None = None
) -> str:
    """Any bytes under a signature: our own, unless another key is given."""
    secret = settings.ARCADIA_JWT_SECRET if key is None else key
    return PyJWS().encode(payload, secret, algorithm=algorithm, headers=header)
