"""DigitalOcean's own Python client, pydo, at work on the simulator."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from pydo import Client

from simulator.simulation import DEFAULT_TOKEN
from tests.simulator.api import Api


@pytest.fixture
def client(api: Api) -> Iterator[Any]:
    # A policy of our own: pydo's refuses to send a token over plain HTTP.
    policy = AzureKeyCredentialPolicy(AzureKeyCredential(DEFAULT_TOKEN), "Authorization", prefix="Bearer")
    with Client(DEFAULT_TOKEN, endpoint=api.url, authentication_policy=policy, retry_total=0) as client:
        yield client


def test_it_reads_what_there_is(client: Any) -> None:
    assert client.account.get()["account"]["team"]["name"] == "arcadia"
    assert client.droplets.list(per_page=200)["meta"]["total"] == 12
    assert client.droplets.list(type="gpus")["droplets"][0]["name"] == "assist-gpu-01"
    assert len(client.droplets.list(tag_name="tenant:acme")["droplets"]) == 4
    assert client.projects.list()["projects"][0]["name"] == "arcadia"
    assert client.regions.list()["meta"]["total"] == 14
    assert client.sizes.list(per_page=200)["sizes"][0]["slug"] == "s-1vcpu-512mb-10gb"
    assert client.images.list(type="distribution")["meta"]["total"] == 7
    assert client.tags.get("deployment:shop")["tag"]["resources"]["count"] == 3


def test_it_takes_a_droplet_through_its_life(client: Any, api: Api) -> None:
    order = {
        "name": "new-01",
        "region": "nyc3",
        "size": "s-1vcpu-1gb",
        "image": "debian-12-x64",
        "tags": ["t"],
    }
    made = client.droplets.create(body=order)
    droplet, action = made["droplet"]["id"], made["links"]["actions"][0]["id"]
    assert client.actions.get(action)["action"]["status"] == "in-progress"
    api.advance(31)
    assert client.actions.get(action)["action"]["status"] == "completed"
    assert client.droplets.get(droplet)["droplet"]["status"] == "active"
    begun = client.droplet_actions.post(droplet, body={"type": "power_off"})["action"]
    with pytest.raises(HttpResponseError, match="pending event") as refusal:
        client.droplet_actions.post(droplet, body={"type": "reboot"})
    assert refusal.value.status_code == 422
    api.advance(6)
    assert client.droplet_actions.get(droplet, begun["id"])["action"]["status"] == "completed"
    client.droplets.destroy(droplet)
    assert client.droplets.get(droplet)["id"] == "not_found"  # pydo returns a documented 404 as it is


def test_it_makes_a_project_and_moves_a_droplet_into_it(client: Any) -> None:
    payload = {"name": "skyai-internal", "purpose": "IoT", "description": "", "environment": "Production"}
    project = client.projects.create(body=payload)["project"]
    urns = {"resources": ["do:droplet:480000000"]}
    assert client.projects.assign_resources(project["id"], body=urns)["resources"][0]["status"] == "assigned"
    listed = client.projects.list_resources(project["id"])["resources"]
    assert [item["urn"] for item in listed] == urns["resources"]
    assert (
        client.projects.patch(project["id"], body={"purpose": "Ours"})["project"]["purpose"] == "Other: Ours"
    )
    assert client.projects.get_default()["project"]["name"] == "arcadia"


def test_it_tags(client: Any) -> None:
    client.tags.create(body={"name": "fresh"})
    resources = {"resources": [{"resource_id": "480000000", "resource_type": "droplet"}]}
    client.tags.assign_resources("fresh", body=resources)
    assert [each["name"] for each in client.droplets.list(tag_name="fresh")["droplets"]] == ["shop-web-01"]
    client.tags.unassign_resources("fresh", body=resources)
    client.tags.delete("fresh")
    assert client.tags.get("fresh")["id"] == "not_found"


def test_it_raises_on_a_wrong_token_a_storm_and_a_fault(client: Any, api: Api) -> None:
    for fault, status in (("rate_limited", 429), ("server_error", 500)):
        api.arm(fault)
        with pytest.raises(HttpResponseError) as refusal:
            client.account.get()
        assert refusal.value.status_code == status
    api.delete(f"/_control/tokens/{DEFAULT_TOKEN}")
    with pytest.raises(HttpResponseError) as refusal:
        client.account.get()
    assert refusal.value.status_code == 401


def test_it_writes_a_record(client: Any, api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default"}, status=200)
    zone, payload = (
        "acme-wiki.example",
        {"type": "MX", "name": "@", "data": "mx.mail.example.", "priority": 5},
    )
    record = client.domains.create_record(zone, body=payload)["domain_record"]
    assert (record["data"], record["priority"]) == ("mx.mail.example", 5)
    client.domains.update_record(zone, record["id"], body={**payload, "priority": 7})
    assert client.domains.get_record(zone, record["id"])["domain_record"]["priority"] == 7
    client.domains.delete_record(zone, record["id"])
    assert client.domains.get_record(zone, record["id"])["id"] == "not_found"


def test_it_reads_what_is_owed(client: Any, api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", "today": "2026-05-10"}, status=200)
    assert client.balance.get()["account_balance"] == "0.00"
    assert client.billing_history.list()["billing_history"][0]["type"] == "Payment"
    listed = client.invoices.list(per_page=200)
    assert (listed["meta"]["total"], listed["invoice_preview"]["invoice_period"]) == (137, "2026-05")
    april = listed["invoices"][0]["invoice_uuid"]
    assert client.invoices.get_summary_by_uuid(april)["taxes"]["amount"] == "7.90"
    assert client.invoices.get_by_uuid(april, per_page=200)["meta"]["total"] == 33
    assert client.invoices.get_by_uuid("none")["id"] == "not_found"


def test_it_reads_every_kind(client: Any, api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default"}, status=200)
    assert len(client.volumes.list()["volumes"]) == 5
    assert len(client.snapshots.list()["snapshots"]) == 5
    assert client.domains.list_records("acme-wiki.example")["meta"]["total"] == 5
    assert client.reserved_ips.get("203.0.113.7")["reserved_ip"]["droplet"]["name"] == "shop-web-01"
    assert {lb["name"] for lb in client.load_balancers.list()["load_balancers"]} == {"shop-lb", "crm-lb"}
    assert {each["engine"] for each in client.databases.list_clusters()["databases"]} == {"pg", "valkey"}
    assert client.kubernetes.list_clusters()["kubernetes_clusters"][0]["name"] == "reports"
    assert len(client.firewalls.list()["firewalls"]) == 3
    assert len(client.vpcs.list()["vpcs"]) == 9
    assert len(client.certificates.list()["certificates"]) == 2
    assert client.cdn.list_endpoints()["endpoints"][0]["ttl"] == 3600
    assert {app["spec"]["name"] for app in client.apps.list()["apps"]} == {"acme-landing", "initech-forms"}
    assert client.registry.get()["registry"]["name"] == "arcadia"
