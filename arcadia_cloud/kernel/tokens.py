"""Bearer tokens: minted elsewhere with Elixir's Guardian, verified here.

simplejwt does the cryptography. Around it stand Guardian's claim names, a second secret while the first
is being rotated, and a user that exists in no table: no claim makes a user staff.
Source of the claims: Guardian's defaults (`aud`, `exp`, `iat`, `iss`, `jti`, `nbf`, `sub`, `typ`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.tokens import Token

from arcadia_cloud.live_secret import LiveSecret

MIN_SECRET_BYTES: Final = 64  # an HS512 key, RFC 7518 section 3.2
OPERATOR_ROLE: Final = "platform_admin"
METERING_ROLE: Final = "metering"
_MAX_CLAIM_CHARACTERS: Final = 255
_SECRET: Final = LiveSecret("ARCADIA_JWT_SECRET")
_PREVIOUS_SECRET: Final = LiveSecret("ARCADIA_JWT_SECRET_PREVIOUS")


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user of a token. `actor` is its `sub`; `tenant_id` is None for a token of no tenant."""

    actor: str
    tenant_id: str | None
    roles: frozenset[str]

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    @property
    def pk(self) -> str:
        """Return the name of the user in the request log."""
        return self.actor

    @property
    def is_operator(self) -> bool:
        """Return whether every tenant and the operator-only endpoints are open."""
        return OPERATOR_ROLE in self.roles

    @property
    def reads_tenant_data(self) -> bool:
        """Return whether rows of `tenant_id` are open. The metering role alone posts usage, reads nothing."""
        return self.tenant_id is not None and not self.only_meters

    @property
    def sends_usage(self) -> bool:
        """Return whether it may post usage: of its tenant, or of any where it has none."""
        return METERING_ROLE in self.roles

    @property
    def only_meters(self) -> bool:
        """Return whether it may post usage and nothing else."""
        return self.roles == {METERING_ROLE}


class TenantToken(Token):
    """An access token in Guardian's shape. Raises TokenError unless everything about it is right."""

    token_type = "access"  # noqa: S105 - the claim's value, no secret
    lifetime = timedelta(hours=1)

    def __init__(self, token: str) -> None:
        refusal = "Token is invalid"
        # In a rotation the previous secret still counts: tokens live an hour and outlast the change.
        for secret in _secrets():
            if not secret:
                continue  # an unset one would verify what anybody signs with nothing
            try:
                self.payload = dict(_backend(secret).decode(token))  # type: ignore[arg-type]  # it decodes text, whatever its hint says
            except TokenBackendExpiredToken as error:
                raise ExpiredTokenError("Token is expired") from error
            except TokenBackendError as error:
                refusal = str(error)
            else:
                self.verify()
                return
        raise TokenError(refusal)

    def verify(self) -> None:
        """Check what PyJWT leaves open: which claims must be there, and their types."""
        self.verify_token_type()
        if isinstance(self.payload.get("exp"), bool) or not isinstance(self.payload.get("exp"), int | float):
            raise TokenError("Token has no expiry")
        for claim in ("sub", "jti"):
            if not _is_name(self.payload.get(claim)):
                raise TokenError(f"Token claim '{claim}' must be a short, non-empty string")
        tenant_id = self.payload.get("tenant_id")  # null is what Elixir's encoder makes of none
        if tenant_id is not None and not _is_name(tenant_id):
            raise TokenError("Token claim 'tenant_id' must be a short, non-empty string")
        roles = self.payload.get("roles", [])
        if not isinstance(roles, list) or not all(_is_name(role) for role in roles):
            raise TokenError("Token claim 'roles' must be a list of strings")

    def user(self) -> TokenUser:
        """Return the stateless user of this token."""
        return TokenUser(
            actor=self.payload["sub"],
            tenant_id=self.payload.get("tenant_id"),
            roles=frozenset(self.payload.get("roles", [])),
        )


def mint(*, subject: str, tenant_id: str | None, roles: list[str], lifetime: timedelta, at: datetime) -> str:
    """Sign a token as Guardian would. For development and tests; production's are minted elsewhere."""
    now = int(at.timestamp())
    claims: dict[str, Any] = {
        "exp": now + int(lifetime.total_seconds()),
        "iat": now,
        "nbf": now - 1,
        "jti": str(uuid4()),
        "sub": subject,
        "typ": TenantToken.token_type,
        "roles": roles,
    }
    if tenant_id is not None:
        claims["tenant_id"] = tenant_id
    return str(_backend(_secrets()[0]).encode(claims))


def _secrets() -> tuple[str, str]:
    """Return the secret and the previous one, as their files have them now; "" is none."""
    least = MIN_SECRET_BYTES if settings.PRODUCTION else 1
    return (
        _SECRET.value(settings.ARCADIA_JWT_SECRET, at_least_bytes=least),
        _PREVIOUS_SECRET.value(settings.ARCADIA_JWT_SECRET_PREVIOUS, at_least_bytes=least),
    )


def _backend(secret: str) -> TokenBackend:
    return _backend_of(
        secret,
        settings.ARCADIA_JWT_ALGORITHM,  # ours, never the token's: it could name "none"
        settings.ARCADIA_JWT_AUDIENCE,
        settings.ARCADIA_JWT_ISSUER,
        settings.ARCADIA_JWT_LEEWAY_SECONDS,
    )


# By all that it depends on, so that a rotated secret counts at once; to prepare the key for each request
# takes longer than to verify a token with it.
@lru_cache(maxsize=4)
def _backend_of(
    secret: str, algorithm: str, audience: str | None, issuer: str | None, leeway: int
) -> TokenBackend:
    return TokenBackend(
        algorithm=algorithm, signing_key=secret, audience=audience, issuer=issuer, leeway=leeway
    )


def _is_name(value: object) -> bool:
    """Return whether a claim fits a log line and a table: printable text, so no NUL and no surrogate."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_CLAIM_CHARACTERS and value.isprintable()
