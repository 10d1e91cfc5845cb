"""The OpenAPI schema: complete, without warnings, and the committed copy is the present one."""

from typing import Any, Final

import jsonschema
import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from arcadia_cloud.embedded.state import PROJECT
from tests.security.addresses import ENDPOINTS

COPY: Final = PROJECT / "docs" / "openapi.yaml"
RENEW: Final = "manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
UNDOCUMENTED: Final = {"api/schema", "api/docs"}


@pytest.fixture
def schema() -> dict[str, Any]:
    return dict(yaml.safe_load(Client().get("/api/schema").content))


def test_the_schema_has_no_warnings_and_the_committed_copy_is_the_present_one(tmp_path: Any) -> None:
    present = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(present))
    same = COPY.exists() and COPY.read_text(encoding="utf-8") == present.read_text(encoding="utf-8")
    assert same, f"The API has changed. See that clients can live with it, then renew the copy: {RENEW}"


def test_every_endpoint_is_in_it_with_its_errors(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert len(schema["paths"]) == len({endpoint.route for endpoint in ENDPOINTS} - UNDOCUMENTED)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("summary") or operation.get("description"), where
            wanted = {"400", "406", "500", "503"}
            if "health" not in path:
                wanted |= {"401", "403", "429"}
                assert operation["security"] == [{"bearerToken": []}], where
            if "{" in path:
                wanted.add("404")
            assert wanted <= set(operation["responses"]), where
            for status in wanted & set(operation["responses"]) - {"503"}:
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], f"{where} {status}"


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


def test_examples_fit_and_the_inventory_has_one_for_each_answer(schema: dict[str, Any]) -> None:
    names = []
    answers = [
        (path, status, answer)
        for path, operations in schema["paths"].items()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
    ]
    for path, status, answer in answers:
        for content in answer.get("content", {}).values():
            for name, example in content.get("examples", {}).items():
                names.append((path.removeprefix("/api/v1/inventory"), status, name))
                shape = {**content["schema"], "components": schema["components"]}
                jsonschema.validate(example["value"], shape)
    for path in ("", "/{id}", "/{id}/events", "/summary"):
        assert {(path, "200", "Tenant"), (path, "200", "Operator"), (path, "400", "UnknownParameter")} <= {
            *names
        }


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
