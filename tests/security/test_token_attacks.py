"""Tokens that must not work, at every endpoint that wants one."""

import base64
import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.access import GONE, forged, signed
from tests.security.addresses import OPEN_TO_NO_TENANT, PROTECTED, Endpoint
from tests.security.things import thing_of

pytestmark = pytest.mark.django_db


def attacks() -> dict[str, str]:
    """An operator's token, wrong in one way each."""
    header, payload, signature = forged().split(".")
    return {
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "alg none, signed": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.{signature}",
        "alg NoNe": f"{part({'alg': 'NoNe'})}.{payload}.",
        "signature cut off": f"{header}.{payload}.",
        "signature of another": f"{header}.{payload}.{forged(sub='x').split('.')[2]}",
        "another key": forged(key="another" * 20),
        "Django's key": forged(key=settings.SECRET_KEY * 2),
        "HS256 with our key": forged(algorithm="HS256"),
        "HS384 with our key": forged(algorithm="HS384"),
        "key by header": forged(
            key="mine" * 20, header={"jwk": {"kty": "oct", "k": "bWluZQ"}, "kid": "../../dev/null"}
        ),
        "critical header": forged(header={"crit": ["exp"], "exp": 1}),
        "expired": forged(exp=1),
        "no expiry": forged(exp=GONE),
        "expiry is text": forged(exp="never"),
        "not yet valid": forged(nbf=4102444800),
        "issued in the future": forged(iat=4102444800),
        "refresh": forged(typ="refresh"),
        "no type": forged(typ=GONE),
        "foreign issuer": forged(iss="https://evil.example"),
        "no issuer": forged(iss=GONE),
        "foreign audience": forged(aud="another-service"),
        "no audience": forged(aud=GONE),
        "roles as text": forged(roles="platform_admin"),
        "roles as an object": forged(roles={"platform_admin": True}),
        "role as a number": forged(roles=["platform_admin", 0]),
        "no subject": forged(sub=GONE),
        "subject is a number": forged(sub=1),
        "tenant is empty": forged(tenant_id=""),
        "tenant is a list": forged(tenant_id=["acme"]),
        "huge": forged(filler="x" * 200_000),
        "malformed": "a.b.c",
        "two segments": f"{header}.{payload}",
        "five segments": f"{header}.{payload}.{signature}.{signature}.{signature}",
        "payload is a list": signed(b"[]"),
        "payload is deep": signed(b"[" * 4000),
        "payload is no JSON": signed(b"\xff\xfe"),
        "payload twice": f"{header}.{payload}{payload}.{signature}",
        "unicode": "é" * 20,
        "a path": "../../etc/passwd",
        "empty": "",
    }


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
def test_every_attack_is_refused(endpoint: Endpoint) -> None:
    address = endpoint.path(thing_of(endpoint, "acme"))
    for attack, token in attacks().items():
        client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
        response = client.get(address)
        assert response.status_code == 401, attack
        assert response.headers["WWW-Authenticate"].startswith("Bearer "), attack
        assert response.headers["Content-Type"] == "application/problem+json", attack


@pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
def test_claiming_to_be_staff_gives_nothing(endpoint: Endpoint) -> None:
    claims: dict[str, Any] = {
        "is_staff": True,
        "is_superuser": True,
        "is_operator": True,
        "admin": True,
        "role": "platform_admin",
    }
    address = endpoint.path(thing_of(endpoint, "acme"))
    client = Client(headers={"Authorization": f"Bearer {forged(roles=['member'], **claims)}"})
    honest = Client(headers={"Authorization": f"Bearer {forged(roles=['member'])}"})
    status = client.get(address).status_code
    assert status == honest.get(address).status_code
    assert status == 403 or endpoint.route in OPEN_TO_NO_TENANT


@pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
def test_the_unspoilt_token_works(endpoint: Endpoint) -> None:
    client = Client(headers={"Authorization": f"Bearer {forged()}"})
    assert client.get(endpoint.path(thing_of(endpoint, "acme"))).status_code in {200, 405}
