"""Every error under /api has one shape, and holds nothing that a stranger shouldn't read."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.access import bearer, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.kernel.probes")]
OPERATOR = bearer(token_of("platform_admin"))
PROBE = "/api/v1/probe"


@pytest.fixture
def api() -> Client:
    return Client(headers=OPERATOR, raise_request_exception=False)


def problem(response: Any, status: int) -> dict[str, Any]:
    """Assert the shape and return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert set(body) == {"type", "title", "status", "detail", "errors", "request_id"}
    assert body["status"] == status
    assert body["type"].startswith("urn:arcadia-cloud:problem:")
    assert len(body["request_id"]) == 36
    return body


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("conflict", 409, "conflict"),
        ("invalid", 400, "invalid_input"),
        ("missing", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("database", 503, "database_unavailable"),
        ("interface", 503, "database_unavailable"),
        ("crash", 500, "internal_error"),
    ],
)
def test_what_a_view_raises_becomes_a_problem(api: Client, name: str, status: int, kind: str) -> None:
    response = api.get(f"{PROBE}/raises/{name}")
    body = problem(response, status)
    assert body["type"] == f"urn:arcadia-cloud:problem:{kind}"
    assert b"secret" not in response.content
    assert b"10.1.2.3" not in response.content
    assert (status == 503) == ("Retry-After" in response.headers)


def test_a_domain_error_names_its_fields(api: Client) -> None:
    body = problem(api.get(f"{PROBE}/raises/invalid"), 400)
    assert body["errors"] == {"size": ["is too small"]}
    assert body["detail"] == "Not like that."
    assert body["title"] == "Bad Request"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/unknown", "/api/v1", "/api/v1/inventory/", "/api/v2/x"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_is_a_problem_too(api: Client, path: str, method: str) -> None:
    problem(getattr(api, method)(path), 404)


def test_an_unknown_page_outside_the_api_is_a_page(api: Client) -> None:
    response = api.get("/nowhere")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_refused(api: Client) -> None:
    problem(api.get("/api/health", headers={"host": "evil.example"}), 400)


def test_a_method_that_an_endpoint_lacks_is_named_with_those_it_has(api: Client) -> None:
    response = api.delete(f"{PROBE}/echo")
    assert "DELETE" in problem(response, 405)["detail"]
    assert "GET, POST" in response.headers["Allow"]


def test_only_json_is_served(api: Client) -> None:
    refused = problem(api.get(f"{PROBE}/echo", headers={**OPERATOR, "accept": "text/csv"}), 406)
    assert "application/json" in refused["detail"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_taken(api: Client, content_type: str) -> None:
    refused = problem(api.post(f"{PROBE}/echo", "name=x", content_type=content_type), 415)
    assert refused["detail"].endswith("Send JSON, with Content-Type: application/json.")


def test_a_request_without_a_token_is_told_how_to_send_one() -> None:
    refused = problem(Client().get(f"{PROBE}/echo"), 401)
    assert refused["detail"] == "Send a token, as the header Authorization: Bearer <token>."


def test_a_body_in_chunks_is_refused_and_not_taken_for_an_empty_one(api: Client) -> None:
    chunked = {**OPERATOR, "transfer-encoding": "chunked"}
    body = api.post(f"{PROBE}/echo", b'{"name": "x"}', content_type="application/json", headers=chunked)
    assert "Content-Length" in problem(body, 411)["detail"]
    assert api.get(f"{PROBE}/echo", headers=chunked).status_code == 200


def test_options_describe_no_fields(api: Client) -> None:
    described = api.options("/api/v1/deployments")
    assert (described.status_code, "actions" in described.json()) == (200, False)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"colour": "red"}, {"colour": ["There is no such field."], "name": ["This field is required."]}),
        ({"name": "x", "parts": "a"}, {"parts": ["Must be a list."]}),
        ({"name": "x", "parts": ["a"]}, {"parts.0": ["Must be an object."]}),
        ({"name": "x", "parts": [{"kind": "c"}]}, {"parts.0.kind": ["Must be one of a, b."]}),
        ({"name": "x", "parts": [{"kind": ["a"]}]}, {"parts.0.kind": ["Must be one of a, b."]}),
        ({"name": "x", "tags": "a"}, {"tags": ["Must be a list."]}),
        ({"name": "x", "labels": [1]}, {"labels": ["Must be an object."]}),
        ({"name": 5, "tags": ["a", 5]}, {"name": ["Must be text."], "tags.1": ["Must be text."]}),
    ],
)
def test_what_is_wrong_with_a_field_is_a_rule(api: Client, body: Any, errors: Any) -> None:
    refused = problem(api.post(f"{PROBE}/echo", json.dumps(body), content_type="application/json"), 400)
    assert refused["errors"] == errors


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5"])
def test_a_body_that_is_no_object_is_told_so(api: Client, body: bytes) -> None:
    refused = problem(api.post(f"{PROBE}/echo", body, content_type="application/json"), 400)
    assert (refused["detail"], refused["errors"]) == ("The body must be a JSON object.", {})


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("inventory?owner=me", {"owner": ["Must be one of tenants, unattributed, ours."]}),
        ("metering/usage?granularity=weekly", {"granularity": ["Must be one of daily, hourly."]}),
        ("metering/usage?from=yesterday", {"from": ["Must be a day, as 2026-04-01."]}),
        ("metering/usage?deployment=shop", {"deployment": ["Must be a whole number."]}),
    ],
)
def test_what_is_wrong_with_a_filter_is_a_rule(api: Client, address: str, rule: Any) -> None:
    assert problem(api.get(f"/api/v1/{address}"), 400)["errors"] == rule


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "x", "name": "y"}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 10_000,
        b'"text"',
        b"[]",
        b"null",
        b"1e999999999999",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_json_object_of_ours_is_refused(api: Client, body: bytes) -> None:
    problem(api.post(f"{PROBE}/echo", body, content_type="application/json"), 400)


def test_a_backslash_before_a_u_is_no_surrogate(api: Client) -> None:
    response = api.post(f"{PROBE}/echo", b'{"name": "\\\\ud80"}', content_type="application/json")
    assert response.json() == {"name": "\\ud80"}


def test_a_body_over_the_limit_is_refused(api: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    fits = b'{"name": "x"' + b" " * 87 + b"}"
    assert len(fits) == 100
    assert api.post(f"{PROBE}/echo", fits, content_type="application/json").status_code == 200
    problem(api.post(f"{PROBE}/echo", fits + b" ", content_type="application/json"), 413)


def test_fractions_stay_exact(api: Client) -> None:
    response = api.post(f"{PROBE}/echo", b'{"name": "x", "price": 0.1}', content_type="application/json")
    assert response.json() == {"name": "x", "price": "0.10"}


def test_unknown_and_wrong_fields_are_named_however_deep(api: Client) -> None:
    body = {"name": "x", "size": 1, "colour": 2, "made": "y"}
    assert set(posted(api, body)["errors"]) == {"size", "colour", "made"}
    nested = {"name": "too long", "parts": [{"kind": "a"}, {"kind": "z"}, {"kind": "a", "more": 1}]}
    assert set(posted(api, nested)["errors"]) == {"name", "parts.1.kind", "parts.2.more"}


def test_unknown_repeated_and_empty_query_parameters_are_named(api: Client) -> None:
    assert set(problem(api.get(f"{PROBE}/echo?a=1&b=2"), 400)["errors"]) == {"a", "b"}
    assert set(problem(api.get("/api/v1/inventory?limit=1&limit=2"), 400)["errors"]) == {"limit"}
    assert set(problem(api.get("/api/v1/inventory?kind="), 400)["errors"]) == {"kind"}
    assert set(problem(api.get(f"{PROBE}/echo?format=json"), 400)["errors"]) == {"format"}


def test_a_stranger_learns_no_parameter(api: Client) -> None:
    problem(Client().get(f"{PROBE}/echo?a=1"), 401)


def test_an_unsound_header_breaks_nothing(api: Client) -> None:
    for value in ("\xff", "a" * 4000, "*/*;q=x", "application/json;indent=9999999999999999999999"):
        response = api.get(f"{PROBE}/echo", headers={**OPERATOR, "accept": value})
        assert response.status_code in {200, 406}


def test_the_request_id_is_the_logs_and_not_the_clients(api: Client) -> None:
    first = problem(api.get("/api/unknown", headers={"x-request-id": "mine"}), 404)
    second = problem(api.get("/api/unknown", headers={"x-request-id": "mine"}), 404)
    assert first["request_id"] != second["request_id"]


def test_no_endpoint_asks_who_the_session_belongs_to(api: Client, django_assert_num_queries: Any) -> None:
    api.cookies["sessionid"] = "x" * 32
    with django_assert_num_queries(0):
        assert api.get("/api/health").status_code == 200


def posted(api: Client, body: dict[str, Any]) -> dict[str, Any]:
    return problem(api.post(f"{PROBE}/echo", json.dumps(body), content_type="application/json"), 400)
