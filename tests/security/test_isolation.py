"""Every endpoint, every method, every kind of caller."""

import itertools
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from arcadia_cloud.kernel.api.throttles import breaker
from tests.access import bearer, token_of
from tests.security.addresses import ENDPOINTS, METHODS, OPEN_TO_NO_TENANT, PROTECTED, PUBLIC, Endpoint
from tests.security.things import CANARY, SECRET_PRICE_CENTS, thing_of

pytestmark = pytest.mark.django_db
CALLERS: dict[str, dict[str, str]] = {
    "nobody": {},
    "garbage": bearer("not.a.token"),
    "stranger": bearer(token_of("member", tenant="other")),
    "owner": bearer(token_of("member", tenant="acme")),
    "metering": bearer(token_of("metering", tenant="acme")),
    "metering of no tenant": bearer(token_of("metering")),
    "no tenant": bearer(token_of("member")),
    "operator": bearer(token_of("platform_admin")),
}
every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
protected_endpoints = pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
METERING_MAY_POST: frozenset[str] = frozenset({"api/v1/metering/usage"})


@pytest.fixture(autouse=True)
def unthrottled() -> Any:
    """Counting hundreds of requests of one test against a tenant's minute isn't the subject here."""
    breaker.trip()
    yield
    breaker.reset()


def ask(endpoint: Endpoint, method: str, caller: str, values: Any, **more: Any) -> Any:
    client = Client(headers=CALLERS[caller], raise_request_exception=False)
    if method in {"post", "put", "patch"}:
        more = {"data": "{}", "content_type": "application/json", **more}
    answer = getattr(client, method)(endpoint.path(values), **more)
    if answer.streaming:
        return HttpResponse(answer.getvalue(), status=answer.status_code, headers=answer.headers)
    return answer


def test_the_map_has_endpoints_and_the_public_ones_are_these() -> None:
    assert PROTECTED
    assert {endpoint.route for endpoint in ENDPOINTS} >= PUBLIC
    unguarded = {endpoint.route for endpoint in ENDPOINTS if not asks_for_a_token(endpoint)}
    assert unguarded == PUBLIC


@every_endpoint
def test_nobody_gets_a_server_error(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    for method, caller in itertools.product(METHODS, CALLERS):
        response = ask(endpoint, method, caller, values)
        assert response.status_code < 500, (method, caller)
        if response.status_code >= 400 and method != "head":
            assert response.headers["Content-Type"] == "application/problem+json", (method, caller)


@protected_endpoints
def test_without_a_good_token_everything_is_401(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    for method, caller in itertools.product(METHODS, ("nobody", "garbage")):
        response = ask(endpoint, method, caller, values)
        assert response.status_code == 401, (method, caller)
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")


@protected_endpoints
def test_who_reads_no_tenant_gets_403(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    for method, caller in itertools.product(METHODS, ("metering", "metering of no tenant", "no tenant")):
        if method == "post" and caller != "no tenant" and endpoint.route in METERING_MAY_POST:
            continue  # the one thing that the role may do
        if caller == "no tenant" and endpoint.route in OPEN_TO_NO_TENANT:
            continue
        assert ask(endpoint, method, caller, values).status_code == 403, (method, caller)


@protected_endpoints
def test_a_strangers_thing_does_not_exist(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    for method in METHODS:
        theirs = ask(endpoint, method, "stranger", values)
        assert f"{CANARY}acme".encode() not in theirs.content, method
        if endpoint.parameters:
            absent = ask(endpoint, method, "stranger", dict.fromkeys(values, 2**40))
            assert theirs.status_code in {403, 404, 405} or method == "options", method
            assert (theirs.status_code, without_id(theirs)) == (absent.status_code, without_id(absent)), (
                method
            )


@protected_endpoints
def test_the_owner_reads_its_own_and_nothing_else(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    thing_of(endpoint, "other")
    response = ask(endpoint, "get", "owner", values)
    assert response.status_code in {200, 403, 405}
    assert f"{CANARY}other".encode() not in response.content


@protected_endpoints
def test_what_the_provider_charges_is_for_operators_alone(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    response = ask(endpoint, "get", "owner", values)
    assert str(SECRET_PRICE_CENTS).encode() not in response.content
    assert b"monthly_price" not in response.content


@protected_endpoints
def test_the_operator_reads_every_tenants(endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    assert ask(endpoint, "get", "operator", values).status_code in {200, 405}


@pytest.mark.parametrize("endpoint", [end for end in ENDPOINTS if end.route != "api/docs"], ids=str)
@pytest.mark.parametrize("query", ["no_such_parameter=1", "is_staff=1", "format=xml"])
def test_unknown_query_parameters_are_refused_everywhere(endpoint: Endpoint, query: str) -> None:
    values = thing_of(endpoint, "acme")
    for method in METHODS:
        # An export's files have formats: its own GET knows the parameter, and refuses this one.
        is_known = endpoint.route.endswith("/export") and query.startswith("format=")
        if hasattr(endpoint.view, method) and (method == "get" or not is_known):
            response = ask(endpoint, method, "operator", values, QUERY_STRING=query)
            assert response.status_code == 400, method
            if method != "head":
                assert list(json.loads(response.content)["errors"]) == [query.split("=", maxsplit=1)[0]], (
                    method
                )


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in PROTECTED if endpoint.parameters], ids=str)
@pytest.mark.parametrize(
    "value", ["0", "-1", "9223372036854775808", "99999999999999999999999", "x", "%00", "1e3"]
)
def test_an_impossible_id_is_404(endpoint: Endpoint, value: str) -> None:
    response = ask(endpoint, "get", "operator", dict.fromkeys(endpoint.parameters, value))
    assert response.status_code in {404, 405}


@every_endpoint
def test_no_answer_is_for_a_shared_cache_or_for_scripts(endpoint: Endpoint) -> None:
    response = ask(endpoint, "get", "operator", thing_of(endpoint, "acme"))
    assert response.headers["Cache-Control"] in {"no-store", "private, no-cache"}
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "script-src" not in policy or endpoint.route == "api/docs"


def asks_for_a_token(endpoint: Endpoint) -> bool:
    names = {getattr(kind, "__name__", "composed") for kind in endpoint.view.permission_classes}
    return bool(names) and "AllowAny" not in names and bool(endpoint.view.authentication_classes)


def without_id(response: Any) -> Any:
    """The body but for the request's id, which differs in every answer."""
    if not response.content:
        return None
    return {name: value for name, value in json.loads(response.content).items() if name != "request_id"}
