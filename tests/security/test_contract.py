"""The rules of every address under /api, from the URL map and the schema: a new one can't be forgotten."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.test import Client

from arcadia_cloud.kernel.api.throttles import breaker
from arcadia_cloud.kernel.api.views import ListView
from tests.access import bearer, token_of
from tests.api_schema import SCHEMA
from tests.security.addresses import ENDPOINTS, METHODS, PROTECTED, Endpoint
from tests.security.things import thing_of
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db
OPERATOR: Final = bearer(token_of("platform_admin"))
PROBLEM: Final = {"type", "title", "status", "detail", "errors", "request_id"}
LIMITS: Final = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
WRITTEN: Final = [endpoint for endpoint in PROTECTED if {"post", "patch"} & set(dir(endpoint.view))]
LISTS: Final = [endpoint for endpoint in PROTECTED if issubclass(endpoint.view, ListView)]
# Signs of a regular expression, or of a Python type's name, in words that a person is to read.
NOT_WORDS: Final = re.compile(
    r"regex|\[\^?[A-Za-z0-9]-|\\[dwsZ]|\(\?|\{\d+,|NoneType|`(int|str|object|array|bool)`"
)


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture
def api() -> Client:
    return Client(headers=OPERATOR, raise_request_exception=False)


def ask(api: Client, endpoint: Endpoint, method: str, values: Any, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = "" if body is None else json.dumps(body)
    kind = "application/octet-stream" if body is None else "application/json"
    return api.generic(method.upper(), endpoint.path(values), text, kind, headers=named)


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """Assert the one shape of an error, and return it."""
    assert response.status_code == status, response.content[:300]
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert set(body) == PROBLEM
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert not NOT_WORDS.search(json.dumps([body["detail"], body["errors"]])), body
    return body


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_every_answer_has_its_id_and_to_a_token_what_is_left(api: Client, endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    allowed = {method for method in METHODS if hasattr(endpoint.view, method)}
    for method in METHODS:
        response = ask(api, endpoint, method, values)
        assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-ID"]), method
        if endpoint in PROTECTED:
            assert set(response.headers) >= LIMITS, method
        if method not in allowed | {"head"} and endpoint in PROTECTED:
            problem_of(response, 405)
    if endpoint in PROTECTED:
        problem_of(ask(api, endpoint, "get", values, Accept="image/png"), 406)
        member = Client(headers=bearer(token_of("metering")))
        refused = ask(member, endpoint, "delete", values)
        assert set(refused.headers) >= LIMITS, "who is refused everywhere has a limit too"
    assert not endpoint.route.endswith("/")
    problem_of(api.get(endpoint.path(values).split("?")[0] + "/"), 404)


@pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
def test_beyond_the_limit_every_address_says_when_to_come_back(
    api: Client, endpoint: Endpoint, settings: Any
) -> None:
    settings.ARCADIA_API_REQUESTS_PER_MINUTE = 1
    answers = [ask(api, endpoint, "get", dict.fromkeys(endpoint.parameters, 1)) for _ in range(3)]
    problem_of(answers[-1], 429)
    assert answers[-1].headers["RateLimit-Remaining"] == "0"
    assert answers[-1].headers["RateLimit-Limit"] == "1"
    assert answers[-1].headers["Retry-After"] == answers[-1].headers["RateLimit-Reset"]


@pytest.mark.parametrize("endpoint", WRITTEN, ids=str)
def test_a_body_is_json_of_known_fields_and_of_their_types(
    simulator: Simulated, api: Client, endpoint: Endpoint, settings: Any
) -> None:
    values = thing_of(endpoint, "acme")
    for method in {"post", "patch"} & set(dir(endpoint.view)):
        match = {"If_Match": "*"} if method == "patch" else {}
        errors = problem_of(ask(api, endpoint, method, values, {"no_such_field": 1}, **match), 400)["errors"]
        assert errors["no_such_field"] == ["There is no such field."]
        for name, field in body_fields(endpoint, method).items():
            # An object fits none of the fields but those that the schema refers to or calls one.
            wrong = {"no": "such"} if "type" in field and field["type"] != "object" else "text"
            errors = problem_of(ask(api, endpoint, method, values, {name: wrong}, **match), 400)["errors"]
            assert any(key.split(".")[0] == name for key in errors), (name, errors)
        problem_of(
            api.generic(method.upper(), endpoint.path(values), "x", "text/plain", headers={"If-Match": "*"}),
            415,
        )
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        problem_of(ask(api, endpoint, method, values, {"long": "x" * 10}, **match), 413)


def body_fields(endpoint: Endpoint, method: str) -> dict[str, Any]:
    """The fields of an operation's body, as the schema has them."""
    [path] = [path for path in SCHEMA["paths"] if pattern_of(path) == pattern_of(f"/{endpoint.route}")]
    body = SCHEMA["paths"][path][method].get("requestBody")
    if body is None:
        return {}
    name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    return dict(SCHEMA["components"]["schemas"][name]["properties"])


def pattern_of(path: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}", "*", path)


@pytest.mark.parametrize("endpoint", [each for each in WRITTEN if hasattr(each.view, "post")], ids=str)
def test_what_creates_takes_a_key_and_names_a_wrong_one(api: Client, endpoint: Endpoint) -> None:
    [path] = [path for path in SCHEMA["paths"] if pattern_of(path) == pattern_of(f"/{endpoint.route}")]
    operation = SCHEMA["paths"][path]["post"]
    takes_key = "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", [])}
    assert takes_key or not operation["responses"].keys() & {"201", "202"}
    if takes_key:
        response = ask(api, endpoint, "post", thing_of(endpoint, "acme"), {}, Idempotency_Key="a b")
        assert list(problem_of(response, 400)["errors"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("endpoint", [each for each in PROTECTED if hasattr(each.view, "patch")], ids=str)
def test_a_change_needs_the_tag_also_one_that_compression_made_weak(api: Client, endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    problem_of(ask(api, endpoint, "patch", values, {}), 428)
    problem_of(ask(api, endpoint, "patch", values, {}, If_Match='"other"'), 412)
    read = ask(api, endpoint, "get", values, Accept_Encoding="gzip")
    assert read.headers["Content-Encoding"] == "gzip"
    assert read.headers["ETag"].startswith("W/")
    changed = ask(api, endpoint, "patch", values, {}, If_Match=read.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"]


@pytest.mark.parametrize("endpoint", [each for each in PROTECTED if hasattr(each.view, "get")], ids=str)
def test_what_is_read_is_compressed_exact_and_tagged(api: Client, endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    response = ask(api, endpoint, "get", values, Accept_Encoding="gzip")
    raw = response.getvalue() if response.streaming else response.content
    if response.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    else:
        assert len(raw) < 400, "a long answer to who takes gzip is compressed"
    if response.headers["Content-Type"] == "application/json":
        for text in strings_of(json.loads(raw, parse_float=refuse_float)):
            assert not re.match(r"\d{4}-\d\d-\d\d[T ]\d", text) or text.endswith("Z"), text
    if endpoint.route.endswith(">"):
        again = ask(api, endpoint, "get", values, If_None_Match=response.headers["ETag"])
        assert (again.status_code, again.content) == (304, b"")


def refuse_float(text: str) -> Any:
    raise AssertionError(f"{text} is a float: it loses digits")


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings_of(part)


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_every_list_is_walked_to_its_end_and_back(api: Client, endpoint: Endpoint) -> None:
    values = thing_of(endpoint, "acme")
    thing_of(endpoint, "other")
    whole = ask(api, endpoint, "get", values).json()
    assert (whole["next"], whole["previous"]) == (None, None)
    page = api.get(endpoint.path(values), {"limit": 1}).json()
    forward = [page]
    while page["next"]:
        page = api.get(page["next"]).json()
        forward.append(page)
    assert [row for page in forward for row in page["results"]] == whole["results"]
    backward = [page]
    while page["previous"]:
        page = api.get(page["previous"]).json()
        backward.append(page)
    assert [page["results"] for page in reversed(backward)] == [page["results"] for page in forward]
