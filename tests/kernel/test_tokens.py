"""Which tokens open the door, and as whom."""

import base64
import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework_simplejwt.exceptions import TokenError

from arcadia_cloud.kernel.tokens import TenantToken, TokenUser
from tests.access import GONE, forged, token_of

# Guardian's claims, signed by `openssl dgst -sha512 -mac HMAC` with this secret; `exp` is in 2100.
GUARDIAN_SECRET = "only-for-development-" + "0" * 64
GUARDIAN_TOKEN = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9."
    "eyJhdWQiOiJhcmNhZGlhIiwiZXhwIjo0MTAyNDQ0ODAwLCJpYXQiOjE3NjAwMDAwMDAsImlzcyI6ImFyY2FkaWEiLCJqdGkiOiJk"
    "M2IxZTZmMC0wZjNlLTRjOGUtOWQ1Yy0xYjJhM2M0ZDVlNmYiLCJuYmYiOjE3NTk5OTk5OTksInJvbGVzIjpbIm1lbWJlciJdLCJz"
    "dWIiOiIxNyIsInRlbmFudF9pZCI6ImFjbWUiLCJ0eXAiOiJhY2Nlc3MifQ."
    "NX3wLLbMI07IAP-PbEVkBJkGPoreEGdW-0b4IVAlU80dFq7tDlSA2e3LaFZWvXKlYo3HjLsVz9HYc0R9KDP21g"
)


def test_a_token_with_guardians_defaults_is_taken_as_it_is(settings: Any) -> None:
    settings.ARCADIA_JWT_SECRET = GUARDIAN_SECRET
    settings.ARCADIA_JWT_ISSUER = settings.ARCADIA_JWT_AUDIENCE = "arcadia"
    user = TenantToken(GUARDIAN_TOKEN).user()
    assert user == TokenUser(actor="17", tenant_id="acme", roles=frozenset({"member"}))
    assert user.is_authenticated
    assert not user.is_operator


def test_claiming_to_be_staff_makes_nobody_staff() -> None:
    user = TenantToken(forged(roles=["member"], is_staff=True, is_superuser=True, admin=True)).user()
    assert not user.is_staff
    assert not user.is_superuser
    assert not user.is_operator


def test_a_token_without_roles_has_none() -> None:
    assert TenantToken(forged(roles=GONE, tenant_id="acme")).user().roles == frozenset()


@pytest.mark.parametrize(
    ("roles", "tenant", "reads"),
    [
        (["member"], "acme", True),
        ([], "acme", True),
        (["metering"], "acme", False),
        (["metering", "member"], "acme", True),
        (["member"], None, False),
        (["metering"], None, False),
    ],
)
def test_who_reads_tenant_data(roles: list[str], tenant: str | None, reads: bool) -> None:
    assert TenantToken(token_of(*roles, tenant=tenant)).user().reads_tenant_data is reads


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": GONE},
        {"exp": None},
        {"exp": True},
        {"exp": "never"},
        {"exp": 1},
        {"exp": float("inf")},
        {"exp": "4102444800"},
        {"nbf": 4102444800},
        {"nbf": "soon"},
        {"iat": 4102444800},
        {"iat": {}},
        {"sub": GONE},
        {"sub": None},
        {"sub": 17},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "nul\0"},
        {"sub": "\ud800"},
        {"sub": "line\nbreak"},
        {"jti": GONE},
        {"jti": 5},
        {"typ": "refresh"},
        {"typ": GONE},
        {"typ": ["access"]},
        {"iss": "somebody"},
        {"iss": GONE},
        {"iss": ["arcadia"]},
        {"aud": "somebody"},
        {"aud": GONE},
        {"aud": []},
        {"aud": {"arcadia": 1}},
        {"roles": "platform_admin"},
        {"roles": None},
        {"roles": {"platform_admin": True}},
        {"roles": ["platform_admin", 1]},
        {"roles": [["platform_admin"]]},
        {"roles": [""]},
        {"tenant_id": ""},
        {"tenant_id": 5},
        {"tenant_id": ["acme"]},
        {"tenant_id": "a\0"},
        {"tenant_id": "a" * 256},
    ],
    ids=lambda claims: repr(claims).replace(repr(GONE), "GONE"),  # the same in every xdist worker
)
def test_a_signed_token_with_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        TenantToken(forged(**claims))


def test_a_null_tenant_is_no_tenant() -> None:
    user = TenantToken(forged(tenant_id=None)).user()
    assert (user.tenant_id, user.reads_tenant_data) == (None, False)


@pytest.mark.parametrize(("skew_seconds", "taken"), [(20, True), (40, False)])
def test_clocks_may_differ_by_thirty_seconds(skew_seconds: int, taken: bool) -> None:
    now = json.loads(_decoded(forged(), 1))["iat"]
    for claims in ({"exp": now - skew_seconds}, {"nbf": now + skew_seconds}, {"iat": now + skew_seconds}):
        if taken:
            TenantToken(forged(**claims))
        else:
            with pytest.raises(TokenError):
                TenantToken(forged(**claims))


def test_a_token_signed_with_another_key_is_refused() -> None:
    with pytest.raises(TokenError):
        TenantToken(forged(key="another" * 20))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_another_algorithm_is_refused_although_the_key_is_right(algorithm: str) -> None:
    with pytest.raises(TokenError):
        TenantToken(forged(algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS999", "RS256"])
def test_an_unsigned_token_is_refused(algorithm: str) -> None:
    _, payload, signature = forged().split(".")
    header = _encoded({"alg": algorithm, "typ": "JWT"})
    for ending in ("", signature):
        with pytest.raises(TokenError):
            TenantToken(f"{header}.{payload}.{ending}")


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = forged(roles=["member"]).split(".")
    payload = forged(roles=["platform_admin"]).split(".")[1]
    with pytest.raises(TokenError):
        TenantToken(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "{}", "é.é.é", "x" * 5000, "W10.W10.W10", "e30.e30.e30"]
)
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        TenantToken(text)


def test_a_deeply_nested_header_or_payload_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    header, payload, signature = forged().split(".")
    for text in (f"{deep}.{payload}.{signature}", f"{header}.{deep}.{signature}"):
        with pytest.raises(TokenError):
            TenantToken(text)


def test_the_previous_secret_counts_while_it_is_configured(settings: Any) -> None:
    old = "o" * 64
    with pytest.raises(TokenError):
        TenantToken(forged(key=old))
    settings.ARCADIA_JWT_SECRET_PREVIOUS = old
    assert TenantToken(forged(key=old)).user().is_operator
    assert TenantToken(forged()).user().is_operator
    with pytest.raises(TokenError):
        TenantToken(forged(key="p" * 64))


def test_an_expired_token_of_the_previous_secret_is_refused(settings: Any) -> None:
    settings.ARCADIA_JWT_SECRET_PREVIOUS = "o" * 64
    with pytest.raises(TokenError):
        TenantToken(forged(key="o" * 64, exp=1))


def test_issue_token_prints_one_good_token_and_nothing_else() -> None:
    out = StringIO()
    call_command(
        "issue_token", "--tenant", "acme", "--role", "a", "--role", "b", "--subject", "s", stdout=out
    )
    user = TenantToken(out.getvalue().strip()).user()
    assert out.getvalue().count("\n") == 1
    assert user == TokenUser(actor="s", tenant_id="acme", roles=frozenset({"a", "b"}))
    header = json.loads(_decoded(out.getvalue(), 0))
    assert header == {"alg": settings.ARCADIA_JWT_ALGORITHM, "typ": "JWT"}


def test_issue_token_refuses_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="development"):
        call_command("issue_token", "--tenant", "acme")


@pytest.mark.parametrize("arguments", [["--tenant", ""], ["--minutes", "0"], ["--role", "\n"]])
def test_issue_token_refuses_what_would_not_be_taken(arguments: list[str]) -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("issue_token", *arguments, stdout=out)
    assert not out.getvalue()


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _decoded(token: str, segment: int) -> bytes:
    part = token.strip().split(".")[segment]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
