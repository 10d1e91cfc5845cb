"""The bearer token at the door of a view: 401, 403, and the response's text."""

from typing import Any

import pytest
from django.test import Client

from tests.access import bearer, forged, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.kernel.probes")]
ECHO = "/api/v1/probe/echo"


def status(headers: dict[str, str], path: str = ECHO) -> int:
    return Client(headers=headers).get(path).status_code


@pytest.mark.parametrize(
    ("roles", "tenant", "tenants", "operators"),
    [
        (["platform_admin"], None, 200, 200),
        (["platform_admin"], "acme", 200, 200),
        (["platform_admin", "metering"], None, 200, 200),
        (["member"], "acme", 200, 403),
        ([], "acme", 200, 403),
        (["member"], None, 403, 403),
        ([], None, 403, 403),
        (["metering"], "acme", 403, 403),
        (["metering"], None, 403, 403),
        (["Platform_Admin"], "acme", 200, 403),
        (["admin", "staff", "superuser"], "acme", 200, 403),
    ],
)
def test_who_may_enter(roles: list[str], tenant: str | None, tenants: int, operators: int) -> None:
    headers = bearer(token_of(*roles, tenant=tenant))
    assert status(headers) == tenants
    assert status(headers, "/api/v1/probe/operators") == operators


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        "Token abc",
        "Bearer a b c",
        "Bearer \xff\xfe",
        "Bearer \x00",
        "Bearer " + "x" * 100_000,
        "x" * 100_000,
        "Bearer é.é.é",
    ],
    ids=lambda header: repr(header[:14]),
)
def test_garbage_in_the_header_is_401_with_a_challenge(header: str) -> None:
    response = Client().get(ECHO, headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="arcadia-cloud"')
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_challenge_tells_a_wrong_token_from_none() -> None:
    assert 'error="invalid_token"' not in Client().get(ECHO).headers["WWW-Authenticate"]
    wrong = Client().get(ECHO, headers=bearer("x"))
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_a_good_token_in_an_oversize_header_is_refused() -> None:
    token = forged(filler="x" * 9000)
    assert status(bearer(token)) == 401
    assert status(bearer(forged(filler="x" * 4000))) == 200


def test_the_scheme_may_be_written_in_any_case() -> None:
    token = token_of("platform_admin")
    assert status({"Authorization": f"bearer {token}"}) == 200
    assert status({"Authorization": f"BEARER   {token} "}) == 200


def test_a_token_in_the_query_or_a_cookie_is_no_token() -> None:
    token = token_of("platform_admin")
    client = Client()
    client.cookies["Authorization"] = f"Bearer {token}"
    assert client.get(ECHO).status_code == 401
    assert Client().get(ECHO, {"access_token": token}).status_code == 401


def test_a_consoles_session_opens_no_endpoint(admin_client: Client) -> None:
    assert admin_client.get(ECHO).status_code == 401
    assert admin_client.get("/api/v1/inventory").status_code == 401


def test_a_token_opens_no_page_of_the_console() -> None:
    token = forged(is_staff=True, is_superuser=True)
    response = Client(headers=bearer(token)).get("/admin/")
    assert response.status_code == 302
    assert "/admin/login/" in response.headers["Location"]


def test_the_refusal_does_not_repeat_the_token(caplog: Any) -> None:
    token = forged(key="another" * 20)
    response = Client().get(ECHO, headers=bearer(token))
    assert token.encode() not in response.content
    assert token.split(".")[2] not in caplog.text
