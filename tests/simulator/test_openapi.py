"""Every response validated by DigitalOcean's official OpenAPI document, if there is a copy of it."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests

from simulator.server import serve
from simulator.simulation import DEFAULT_TOKEN, Simulation
from simulator.synthetic_resources import LOADS
from tests.simulator.api import TIMEOUT_SECONDS, Api

_SHARED = Path(__file__).parents[3] / "shared" / "digitalocean-openapi.json"
DOCUMENT = Path(os.environ.get("ARCADIA_DO_OPENAPI", _SHARED))
SHOP_WEB = 480_000_000
ORDER = {"name": "new-01", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "region": "fra1"}

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(),
    reason="DigitalOcean's OpenAPI document is not here: ARCADIA_DO_OPENAPI may name a copy of it",
)


def _to_json_schema(node: Any) -> Any:
    """Convert a schema to JSON Schema; add a region and URNs that the document doesn't have yet."""
    if isinstance(node, list):
        return [_to_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {
        name: _to_json_schema(value) for name, value in node.items() if name not in {"example", "examples"}
    }
    if found.pop("nullable", False) is True:
        return {"anyOf": [found, {"type": "null"}]}
    if "syd1" in found.get("enum", ()):
        found["enum"] = [*found["enum"], "atl1"]
    if str(found.get("pattern", "")).startswith("^do:("):
        found["pattern"] = found["pattern"].replace("^do:(", "^do:(app|reservedip|")
    return found


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return loaded


@cache
def _schemas() -> Any:
    return _to_json_schema(document()["components"])


def _resolve_reference(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _find_operation(method: str, path: str) -> dict[str, Any]:
    """Return the operation of a path, one without parameters rather than one with them."""
    fitting = [
        template
        for template, operations in document()["paths"].items()
        if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
    ]
    assert fitting, f"the document has no {method} {path}"
    template = min(fitting, key=lambda each: each.count("{"))
    found: dict[str, Any] = document()["paths"][template][method]
    return found


def check(answer: requests.Response) -> requests.Response:
    """Fail unless status, headers and body are as in the document."""
    method, path = str(answer.request.method).lower(), str(answer.request.path_url).split("?")[0]
    responses = _find_operation(method, path)["responses"]
    response = _resolve_reference(responses.get(str(answer.status_code), responses["default"]))
    assert answer.status_code >= 400 or str(answer.status_code) in responses, answer.text
    for header in response.get("headers", {}):
        assert header in answer.headers or header == "x-request-id"
    content = response.get("content", {}).get("application/json")
    if content is None:
        assert answer.content == b""
        return answer
    schema = {**_to_json_schema(content["schema"]), "components": _schemas()}
    validator = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    problems = [
        f"{list(error.instance_path)}: {error.message[:300]}"
        for error in validator.iter_errors(answer.json())
    ]
    assert problems == []
    return answer


def check_headers(answer: requests.Response) -> Mapping[str, str]:
    """Fail unless the headers that the document names are there."""
    path = str(answer.request.path_url).split("?")[0]
    response = _resolve_reference(_find_operation("get", path)["responses"][str(answer.status_code)])
    assert [name for name in response["headers"] if name not in answer.headers] == []
    return answer.headers


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(Simulation(droplets=60, load=dict.fromkeys(LOADS, 3))) as url:
        yield url


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    with Api(url) as api:
        api.post("/_control/reset", status=200)
        yield api


@pytest.mark.parametrize(
    "path",
    [
        "/v2/account",
        "/v2/projects",
        "/v2/projects/default",
        "/v2/projects/default/resources",
        "/v2/droplets",
        "/v2/droplets?per_page=50&page=2",
        "/v2/droplets?type=gpus",
        "/v2/droplets?tag_name=tenant:acme",
        "/v2/droplets?name=wiki-01",
        "/v2/droplets/480000000",
        "/v2/droplets/480012156",
        "/v2/droplets/480000000/snapshots",
        "/v2/droplets/480000000/backups",
        "/v2/droplets/480002026/backups/policy",
        "/v2/droplets/480000000/actions",
        "/v2/actions",
        "/v2/regions",
        "/v2/sizes?per_page=200",
        "/v2/images",
        "/v2/images?private=true",
        "/v2/images/debian-12-x64",
        "/v2/tags",
        "/v2/tags/tenant:acme",
        "/v2/volumes",
        "/v2/snapshots",
        "/v2/snapshots?resource_type=volume",
        "/v2/domains",
        "/v2/domains/acme-shop.example",
        "/v2/domains/acme-shop.example/records",
        "/v2/domains/acme-shop.example/records/28448429",
        "/v2/reserved_ips",
        "/v2/reserved_ips/203.0.113.7",
        "/v2/reserved_ips/203.0.113.99",
        "/v2/load_balancers",
        "/v2/databases",
        "/v2/databases?tag_name=tenant:acme",
        "/v2/kubernetes/clusters",
        "/v2/firewalls",
        "/v2/vpcs",
        "/v2/certificates",
        "/v2/cdn/endpoints",
        "/v2/apps",
        "/v2/registries",
        "/v2/registry",
        "/v2/registry/subscription",
        "/v2/customers/my/balance",
        "/v2/customers/my/billing_history",
        "/v2/customers/my/billing_history?per_page=50&page=2",
        "/v2/customers/my/invoices",
        "/v2/customers/my/invoices?per_page=100&page=2",
    ],
)
def test_what_is_read_has_the_documents_shape(api: Api, path: str) -> None:
    assert check(api.ask("GET", path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v2/volumes", "volumes"),
        ("/v2/snapshots", "snapshots"),
        ("/v2/load_balancers", "load_balancers"),
        ("/v2/databases", "databases"),
        ("/v2/kubernetes/clusters", "kubernetes_clusters"),
        ("/v2/firewalls", "firewalls"),
        ("/v2/vpcs", "vpcs"),
        ("/v2/certificates", "certificates"),
        ("/v2/cdn/endpoints", "endpoints"),
        ("/v2/apps", "apps"),
    ],
)
def test_each_one_of_a_list_has_the_documents_shape(api: Api, path: str, key: str) -> None:
    listed = api.get(path)[key]
    assert listed
    for each in listed:
        (shown,) = check(api.ask("GET", f"{path}/{each['id']}")).json().values()
        assert shown == each


def test_an_invoice_has_the_documents_shape(api: Api) -> None:
    listed = api.get("/v2/customers/my/invoices")
    for invoice in (listed["invoices"][0], listed["invoices"][-1], listed["invoice_preview"]):
        path = f"/v2/customers/my/invoices/{invoice['invoice_uuid']}"
        assert check(api.ask("GET", f"{path}?per_page=3")).json()["invoice_items"]
        assert check(api.ask("GET", f"{path}/summary")).json()["amount"] == invoice["amount"]
        headers = check_headers(api.ask("GET", f"{path}/csv"))
        assert headers["content-type"] == "text/csv"
        assert re.fullmatch(
            r'attachment; filename="DigitalOcean Invoice \d{4} [A-Z][a-z]{2} \(\d+-\d+\)\.csv"',
            headers["content-disposition"],
        )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/droplets/1", 404),
        ("GET", "/v2/volumes/506f78a4-e098-11e5-ad9f-000f53306ae1", 404),
        ("GET", "/v2/domains/nowhere.example", 404),
        ("GET", "/v2/domains/nowhere.example/records", 404),
        ("DELETE", "/v2/droplets/1", 404),
        ("GET", "/v2/actions/1", 404),
        ("GET", "/v2/projects/00000000-0000-0000-0000-000000000000", 404),
        ("DELETE", "/v2/projects/default", 412),
        ("GET", "/v2/tags/none", 404),
        ("POST", "/v2/droplets", 400),
        ("GET", "/v2/droplets?per_page=500", 422),
        ("GET", "/v2/customers/my/invoices/22737513-0ea7-4206-8ceb-98a575af7681", 404),
        ("GET", "/v2/customers/my/invoices/22737513-0ea7-4206-8ceb-98a575af7681/csv", 404),
        ("GET", "/v2/customers/my/invoices/22737513-0ea7-4206-8ceb-98a575af7681/summary", 404),
    ],
)
def test_refusals_have_the_documents_shape(api: Api, method: str, path: str, status: int) -> None:
    assert check(api.ask(method, path)).status_code == status


def test_a_strangers_and_a_hasty_clients_refusals_have_the_documents_shape(api: Api) -> None:
    stranger = requests.get(f"{api.url}/v2/account", timeout=TIMEOUT_SECONDS)
    assert check(stranger).status_code == 401
    api.arm("rate_limited")
    assert check(api.ask("GET", "/v2/account")).status_code == 429
    api.arm("server_error", status=500)
    assert check(api.ask("GET", "/v2/account")).status_code == 500


def test_a_droplets_life_has_the_documents_shape(api: Api) -> None:
    made = check(api.ask("POST", "/v2/droplets", {**ORDER, "ipv6": True, "backups": True})).json()
    path, action = f"/v2/droplets/{made['droplet']['id']}", made["links"]["actions"][0]["id"]
    check(api.ask("GET", path))
    check(api.ask("GET", f"/v2/actions/{action}"))
    assert check(api.ask("DELETE", path)).status_code == 422
    api.advance(31)
    check(api.ask("GET", path))
    check(api.ask("GET", f"/v2/actions/{action}"))
    for payload in (
        {"type": "snapshot", "name": "s"},
        {"type": "power_off"},
        {"type": "resize", "size": "s-2vcpu-4gb"},
    ):
        begun = check(api.ask("POST", f"{path}/actions", payload))
        assert begun.status_code == 201
        api.advance(61)
        check(api.ask("GET", f"{path}/actions/{begun.json()['action']['id']}"))
    check(api.ask("GET", path))
    check(api.ask("GET", f"{path}/actions"))
    check(api.ask("GET", f"{path}/snapshots"))
    image = check(api.ask("GET", "/v2/images?private=true")).json()["images"][0]["id"]
    check(api.ask("PUT", f"/v2/images/{image}", {"name": "renamed"}))
    check(api.ask("DELETE", f"/v2/images/{image}"))
    assert check(api.ask("DELETE", path)).status_code == 204


def test_several_droplets_have_the_documents_shape(api: Api) -> None:
    order = {name: value for name, value in ORDER.items() if name != "name"}
    check(api.ask("POST", "/v2/droplets", {**order, "names": ["a", "b"], "tags": ["t"]}))
    api.advance(31)
    check(api.ask("POST", "/v2/droplets/actions?tag_name=t", {"type": "power_off"}))
    api.advance(6)
    check(api.ask("DELETE", "/v2/droplets?tag_name=t"))


def test_a_projects_life_has_the_documents_shape(api: Api) -> None:
    payload = {
        "name": "p",
        "description": "",
        "purpose": "IoT",
        "environment": "Staging",
        "is_default": False,
    }
    path = f"/v2/projects/{check(api.ask('POST', '/v2/projects', payload)).json()['project']['id']}"
    assert check(api.ask("POST", "/v2/projects", payload)).status_code == 409
    check(api.ask("PUT", path, payload))
    check(api.ask("PATCH", path, {"environment": "Production"}))
    urns = {"resources": [f"do:droplet:{SHOP_WEB}", "do:droplet:1"]}
    check(api.ask("POST", f"{path}/resources", urns))
    check(api.ask("GET", f"{path}/resources"))
    assert check(api.ask("DELETE", path)).status_code == 412
    check(api.ask("POST", "/v2/projects/default/resources", urns))
    assert check(api.ask("DELETE", path)).status_code == 204


def test_a_tags_life_has_the_documents_shape(api: Api) -> None:
    resources = {"resources": [{"resource_id": str(SHOP_WEB), "resource_type": "droplet"}]}
    check(api.ask("POST", "/v2/tags", {"name": "t"}))
    check(api.ask("POST", "/v2/tags/t/resources", resources))
    check(api.ask("GET", "/v2/tags/t"))
    check(api.ask("DELETE", "/v2/tags/t/resources", resources))
    assert check(api.ask("DELETE", "/v2/tags/t")).status_code == 204


def test_a_records_life_has_the_documents_shape(api: Api) -> None:
    records = "/v2/domains/acme-wiki.example/records"
    made = check(api.ask("POST", records, {"type": "CNAME", "name": "new", "data": "static.example."}))
    path = f"{records}/{made.json()['domain_record']['id']}"
    check(api.ask("PUT", path, {"type": "CNAME", "name": "newer", "data": "static.example.", "ttl": 60}))
    check(api.ask("PATCH", path, {"type": "CNAME", "ttl": 90}))
    assert check(api.ask("POST", records, {"type": "CNAME", "name": "a", "data": "b"})).status_code == 422
    assert check(api.ask("DELETE", path)).status_code == 204
    assert check(api.ask("DELETE", path)).status_code == 404


def test_what_a_revert_writes_has_the_documents_shape(api: Api) -> None:
    def first(path: str, key: str) -> Any:
        return api.get(path)[key][0]

    firewall = first("/v2/firewalls", "firewalls")
    kept = {name: firewall[name] for name in ("name", "tags", "droplet_ids", "inbound_rules")}
    check(api.ask("PUT", f"/v2/firewalls/{firewall['id']}", {**kept, "name": "wall"}))
    assert check(api.ask("PUT", f"/v2/firewalls/{firewall['id']}", {"name": "wall"})).status_code == 400
    vpc = first("/v2/vpcs", "vpcs")
    check(api.ask("PUT", f"/v2/vpcs/{vpc['id']}", {"name": "net", "description": "by day"}))
    endpoint = first("/v2/cdn/endpoints", "endpoints")
    check(api.ask("PUT", f"/v2/cdn/endpoints/{endpoint['id']}", {"ttl": 60}))
    assert check(api.ask("PUT", f"/v2/cdn/endpoints/{endpoint['id']}", {"ttl": 61})).status_code == 422
    cluster = first("/v2/kubernetes/clusters", "kubernetes_clusters")
    check(api.ask("PUT", f"/v2/kubernetes/clusters/{cluster['id']}", {"name": "two", "auto_upgrade": True}))
    balancer = first("/v2/load_balancers", "load_balancers")
    whole = {**balancer, "region": balancer["region"]["slug"], "name": "lb"}
    check(api.ask("PUT", f"/v2/load_balancers/{balancer['id']}", whole))
    path = "/v2/reserved_ips/203.0.113.7/actions"
    check(api.ask("POST", path, {"type": "unassign"}))
    assert check(api.ask("POST", path, {"type": "unassign"})).status_code == 422
    api.advance(6)
    check(api.ask("POST", path, {"type": "assign", "droplet_id": SHOP_WEB}))
    volume = first("/v2/volumes", "volumes")
    grown = {"type": "resize", "size_gigabytes": 900, "region": volume["region"]["slug"]}
    check(api.ask("POST", f"/v2/volumes/{volume['id']}/actions", grown))
    shrunk = {**grown, "size_gigabytes": 1}
    assert check(api.ask("POST", f"/v2/volumes/{volume['id']}/actions", shrunk)).status_code == 422


def test_the_check_sees_a_wrong_shape(url: str) -> None:
    """Prove that the checks above can fail."""
    answer = requests.get(
        f"{url}/v2/droplets", headers={"Authorization": f"Bearer {DEFAULT_TOKEN}"}, timeout=20
    )
    spoilers: tuple[Callable[[Any], object], ...] = (
        lambda body: body["droplets"][0].pop("size_slug"),
        lambda body: body["droplets"][0].update(id="480000000"),
        lambda body: body["droplets"][0]["image"].update(regions=["mars1"]),
        lambda body: body["droplets"][0].update(created_at="yesterday"),
        lambda body: body.pop("meta"),
    )
    for spoil in spoilers:
        body = answer.json()
        spoil(body)
        answer._content = json.dumps(body).encode()
        with pytest.raises(AssertionError):
            check(answer)


def test_a_volumes_life_has_the_documents_shape_and_rules(api: Api) -> None:
    order = {"name": "data-1", "region": "nyc3", "size_gigabytes": 10}
    for name in ("1data", "Data", "data_1", "d" * 65, "data."):
        refused = check(api.ask("POST", "/v2/volumes", {**order, "name": name}))
        assert refused.status_code == 422, name
    volume = check(api.ask("POST", "/v2/volumes", order)).json()["volume"]["id"]
    droplet = api.post("/v2/droplets", {**ORDER, "region": "nyc3"}, status=202)["droplet"]["id"]
    api.advance(31)
    path, attach = f"/v2/volumes/{volume}", {"type": "attach", "droplet_id": droplet}
    begun = check(api.ask("POST", f"{path}/actions", attach))
    assert begun.status_code == 202
    check(api.ask("GET", path))
    # Under way it is held already, as is its droplet.
    assert check(api.ask("DELETE", path)).status_code == 409
    assert check(api.ask("POST", f"{path}/actions", attach)).status_code == 422
    assert api.ask("POST", f"/v2/droplets/{droplet}/actions", {"type": "power_off"}).status_code == 422
    api.advance(6)
    assert check(api.ask("DELETE", path)).status_code == 409
    check(api.ask("POST", f"{path}/actions", {**attach, "type": "detach"}))
    api.advance(6)
    assert check(api.ask("DELETE", path)).status_code == 204
