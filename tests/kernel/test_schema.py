"""The OpenAPI schema: complete, without warnings, and the committed copy is the present one."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from tests.api_schema import COPY, read_schema
from tests.security.addresses import ENDPOINTS

RENEW: Final = "manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
UNDOCUMENTED: Final = {"api/schema", "api/docs"}


@pytest.fixture
def schema() -> dict[str, Any]:
    return read_schema(Client().get("/api/schema").content)


def test_the_schema_has_no_warnings_and_the_committed_copy_is_the_present_one(tmp_path: Any) -> None:
    present = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(present))
    same = COPY.exists() and COPY.read_text(encoding="utf-8") == present.read_text(encoding="utf-8")
    assert same, f"The API has changed. See that clients can live with it, then renew the copy: {RENEW}"


def test_every_endpoint_is_in_it_with_its_words_and_its_errors(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert len(schema["paths"]) == len({endpoint.route for endpoint in ENDPOINTS} - UNDOCUMENTED)
    groups = {group["name"] for group in schema["tags"]}
    assert all(group["description"] for group in schema["tags"])
    used, summaries = set(), []
    for where, operation in operations(schema):
        assert operation["summary"], where
        assert operation["description"], where
        summaries.append(operation["summary"])
        [group] = operation["tags"]
        used.add(group)
        wanted = {"400", "406", "500", "503"}
        if "health" not in where:
            wanted |= {"401", "403", "429"}
            assert operation["security"] == [{"bearerToken": []}], where
        if "{" in where:
            wanted.add("404")
        assert wanted <= set(operation["responses"]), where
        for status, answer in operation["responses"].items():
            if status >= "400" and (status, where) != ("503", "get /api/health/ready"):
                [(media_type, content)] = resolved(schema, answer)["content"].items()
                assert media_type == "application/problem+json", f"{where} {status}"
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, f"{where} {status}"
    assert used == groups, "a group without an operation, or the other way round"
    assert len(set(summaries)) == len(summaries), "two operations under one heading"


def test_every_operation_has_examples_that_fit(schema: dict[str, Any]) -> None:
    for where, operation in operations(schema):
        for status, answer in operation["responses"].items():
            contents = resolved(schema, answer).get("content", {})
            for media_type, content in contents.items():
                # A refusal that the view describes in words of its own needs no example.
                assert content.get("examples") or status >= "400", f"{where} {status}: no example"
                for example in content.get("examples", {}).values():
                    if media_type.endswith("json"):
                        check(schema, content["schema"], example["value"])
        body = operation.get("requestBody")
        if body is not None:
            examples = body["content"]["application/json"]["examples"]
            for example in examples.values():
                check(schema, body["content"]["application/json"]["schema"], example["value"])
        if operation["responses"].keys() & {"201", "202"}:
            parameters = {parameter["name"] for parameter in operation["parameters"]}
            assert "Idempotency-Key" in parameters, f"{where} creates, and takes no Idempotency-Key"


def test_money_quantities_and_times_have_one_form_everywhere(schema: dict[str, Any]) -> None:
    for component, described in schema["components"]["schemas"].items():
        for name, field in described.get("properties", {}).items():
            where = f"{component}.{name}"
            kinds = [part.get("type") for part in [field, *field.get("oneOf", []), *field.get("anyOf", [])]]
            flat = {each for one in kinds if one for each in (one if isinstance(one, list) else [one])}
            if component.endswith("Request"):
                continue  # what comes in may be a number too
            assert "number" not in flat, f"{where}: a float loses digits"
            if name.endswith(("_cents", "_minor")) and component not in {"QuoteLine", "Tier"}:
                assert flat <= {"integer", "null"}, f"{where}: whole minor units"
            if name in {"qty", "quantity", "used", "included", "overage"} or name.endswith("_qty"):
                assert flat <= {"string", "null"}, f"{where}: an exact decimal"
            if name == "at" or name.endswith("_at"):
                assert field.get("format") == "date-time", f"{where}: RFC 3339"


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation, and where it is."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def resolved(schema: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer, wherever it is described."""
    name = answer.get("$ref", "").removeprefix("#/components/responses/")
    return dict(schema["components"]["responses"][name] if name else answer)


def check(schema: dict[str, Any], shape: dict[str, Any], value: Any) -> None:
    """Refuse a value that doesn't fit, formats and all."""
    whole = {**shape, "components": schema["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


@pytest.mark.parametrize(
    ("component", "fields"),
    [
        (
            "Resource",
            {
                "attributed_by",
                "attribution_note",
                "currency",
                "monthly_price_cents",
                "provider",
                "stale_strike_count",
                "urn",
            },
        ),
        ("ResourceEvent", {"actor", "source"}),
        ("Summary", {"by_tenant", "currency"}),
    ],
)
def test_what_only_operators_get_is_told_and_not_promised_to_others(
    schema: dict[str, Any], component: str, fields: set[str]
) -> None:
    described = schema["components"]["schemas"][component]
    told = {
        name
        for name, field in described["properties"].items()
        if "Operators only." in field.get("description", "")
    }
    assert told == fields
    assert not fields & set(described["required"])


def test_the_tenant_filter_is_told_to_be_for_operators(schema: dict[str, Any]) -> None:
    parameters = schema["paths"]["/api/v1/inventory"]["get"]["parameters"]
    [description] = [each["description"] for each in parameters if each["name"] == "tenant"]
    assert description.endswith("Operators only.")


def test_the_inventory_has_an_example_for_each_reader(schema: dict[str, Any]) -> None:
    for path in ("", "/{id}", "/{id}/events", "/summary"):
        answer = schema["paths"][f"/api/v1/inventory{path}"]["get"]["responses"]["200"]
        assert {"Tenant", "Operator"} <= set(answer["content"]["application/json"]["examples"])


def test_it_is_served_as_json_too() -> None:
    response = Client().get("/api/schema", headers={"accept": "application/vnd.oai.openapi+json"})
    assert response.json()["info"]["title"] == "arcadia-cloud"


def test_the_documentation_page_needs_no_internet_and_no_inline_script() -> None:
    page = Client().get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "http://" not in text
    assert "https://" not in text
    sources = [part.split('"')[0] for part in text.split('<script src="')[1:]]
    assert len(sources) == 3
    assert text.count("<script") == 3
    for source in [part for part in sources if part.startswith("/static/")]:
        assert finders.find(source.removeprefix("/static/")), source
    script = Client().get("/api/docs?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert '"validatorUrl": null' in script.content.decode()


def test_the_console_may_run_its_themes_scripts_and_the_documentation_only_files() -> None:
    console = Client().get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in console
    assert "frame-ancestors 'none'" in console
    docs = Client().get("/api/docs").headers["Content-Security-Policy"]
    assert "script-src 'self';" in docs
    assert "unsafe-eval" not in docs
