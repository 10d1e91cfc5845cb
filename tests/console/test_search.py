"""The global search: each way to find a thing, whose it is, and what each user may see of it."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from arcadia_cloud.kernel.console.search import MOST_PER_GROUP
from billing.models import ProviderInvoice
from inventory.search import find_tenants
from inventory.values import Kind
from tests.catalog.rows import stored_plan
from tests.console.conftest import PASSWORD, Login
from tests.console.rows import a_saga, queries_of, some_of_everything
from tests.inventory.observations import a_deployment, a_project, minute, observed, seen, tombstone

SEARCH = "/admin/search/"
UUID = "5a4981aa-9653-4bd1-bef5-d6bff52042e4"
GROUP = re.compile(r'role="group" aria-label="([^"]+)"(.*?)(?=role="group"|\Z)', re.DOTALL)
HIT = re.compile(r'console-search-title">([^<]+)</span>\s*(?:<span class="console-search-owner">([^<]+))?')


def found(client: Client, text: str) -> dict[str, list[tuple[str, str]]]:
    """Return the groups of the dialog, each with its hits' titles and owners."""
    answer = client.get(SEARCH, {"q": text, "fragment": "1"})
    assert answer.status_code == 200
    page = answer.content.decode()
    return {
        html.unescape(title): [
            (html.unescape(name), html.unescape(owner)) for name, owner in HIT.findall(body)
        ]
        for title, body in GROUP.findall(page)
    }


@pytest.fixture
def fleet(db: None) -> None:
    """acme's shop: a droplet with addresses of each sort, its reserved IP, a balancer; and a namesake's."""
    shop = a_deployment("acme", "shop")
    acme = a_project("acme", tenant_id="acme")
    attrs = {
        "ipv4_public": ["203.0.113.7"],
        "ipv4_private": ["10.110.0.2"],
        "ipv6_public": ["2604:A880:0:1010:0:0:18a:a001"],  # as no canonical form writes it
    }
    owned: dict[str, Any] = {"tenant_id": "acme", "deployment_id": shop.pk, "project_id": acme.pk}
    observed(
        seen("4711", name="shop-web-01", tags=["Role:Web"], attrs=attrs, **owned),
        seen("4712", name="shop-web-02", attrs={"ipv4_public": ["203.0.113.8"]}),
        seen("4713", name="old-shop-web-01", attrs={"ipv4_public": ["203.0.113.9"]}),
    )
    holder = {"droplet_id": "4711"}
    observed(seen("198.51.100.4", name="198.51.100.4", attrs=holder, tags=[]), kind=Kind.RESERVED_IP)
    balancer = {"ip": "198.51.100.9", "ipv6": None}
    observed(seen(UUID, name="front", urn=f"do:loadbalancer:{UUID}", attrs=balancer), kind=Kind.LOAD_BALANCER)
    tombstone(["4713"], at=minute(5))


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.7",
        " 10.110.0.2 ",
        "2604:a880:0:1010::18a:a001",
        "2604:A880:0000:1010:0000:0000:018A:A001",
        "4711",
        "do:droplet:4711",
        "shop-web-01",
        "SHOP-WEB-01",
        "role:web",
    ],
)
def test_each_way_finds_the_droplet_first_with_its_owner(viewer: Client, fleet: None, text: str) -> None:
    assert found(viewer, text)["Droplet"][0] == ("shop-web-01", "acme/shop")


def test_a_reserved_address_finds_the_droplet_that_has_it_too(viewer: Client, fleet: None) -> None:
    groups = found(viewer, "198.51.100.4")

    assert groups["Reserved IP"] == [("198.51.100.4", "unattributed")]
    assert groups["Droplet"] == [("shop-web-01", "acme/shop")]
    assert found(viewer, "198.51.100.9") == {"Load balancer": [("front", "unattributed")]}
    assert found(viewer, UUID)["Load balancer"] == [("front", "unattributed")]
    assert found(viewer, "203.0.113.77") == {}


def test_what_is_deleted_is_found_by_its_name_id_and_address_alone(viewer: Client, fleet: None) -> None:
    for text in ("old-shop-web-01", "4713", "203.0.113.9"):
        assert found(viewer, text)["Droplet"] == [("old-shop-web-01", "unattributed")]
        assert "deleted" in viewer.get(SEARCH, {"q": text, "fragment": "1"}).content.decode()
    assert [name for name, _ in found(viewer, "shop-web")["Droplet"]] == ["shop-web-01", "shop-web-02"]


def test_tenants_deployments_sagas_invoices_and_plans_are_found(viewer: Client, fleet: None) -> None:
    saga = a_saga(tenant_id="acme", subjects=["droplet:4711"])
    ProviderInvoice.objects.create(invoice_uuid=UUID, invoice_id="INV-77", period="2026-09-01", amount=5)
    plan = stored_plan()

    assert list(found(viewer, "acme")) == ["Tenant", "Project", "Deployment"]  # the exact names first
    assert found(viewer, "ACM")["Tenant"] == [("acme", "")]
    for text in ("shop", "acme/shop"):
        assert found(viewer, text)["Deployment"] == [("acme/shop", "acme")]
    assert found(viewer, str(saga.pk))["Saga"] == [(f"Saga {saga.pk}: {saga.kind}", "acme")]
    assert found(viewer, "4711")["Saga"] == found(viewer, "droplet:4711")["Saga"] != []
    assert found(viewer, "inv-77")["Invoice"] == found(viewer, "2026-09")["Invoice"] != []
    assert found(viewer, plan.code)["Plan"] == [(plan.name, "")]
    assert found(viewer, "acme")["Project"] == [("acme", "acme")]


def test_a_group_is_cut_and_leads_to_the_rest_and_the_exact_come_first(viewer: Client, db: None) -> None:
    observed(*(seen(str(number), name=f"web-{number:02d}") for number in range(20)), seen("x", name="web"))
    page = html.unescape(viewer.get(SEARCH, {"q": "web", "fragment": "1"}).content.decode())

    assert found(viewer, "web")["Droplet"][0] == ("web", "unattributed")
    assert len(found(viewer, "web")["Droplet"]) == MOST_PER_GROUP
    assert "/admin/inventory/resource/?q=web&kind=droplet" in page


@pytest.mark.parametrize(
    "text", ["", "  ", "a" * 201, "%", "_", "\\", "100%", "fe80::1%eth0", "9" * 30, "²", "'\"<"]
)
def test_odd_texts_find_nothing_and_break_nothing(viewer: Client, fleet: None, text: str) -> None:
    assert found(viewer, text) == {}
    page = viewer.get(SEARCH, {"q": text})
    assert page.status_code == 200
    assert "'\"<" not in page.content.decode()


def test_a_user_finds_only_what_they_may_see(login: Login, client: Client, fleet: None) -> None:
    a_saga(subjects=["droplet:4711"])
    assert found(login(""), "4711") == {}
    clerk = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_sagarun"))
    alone = Client()
    alone.force_login(clerk)
    assert list(found(alone, "4711")) == ["Saga"]
    assert client.get(SEARCH, {"q": "4711"}).status_code == 302


def test_every_page_has_the_search_and_without_scripts_it_is_a_page(viewer: Client, fleet: None) -> None:
    home = viewer.get("/admin/").content.decode()
    assert f'id="search-open" href="{SEARCH}"' in home
    assert 'role="combobox"' in home
    page = viewer.get(SEARCH, {"q": "203.0.113.7"}).content.decode()
    assert "shop-web-01" in page
    assert "acme/shop" in page


def test_it_asks_as_many_queries_among_many_as_among_few(login: Login) -> None:
    client = login("superuser")
    some_of_everything(2)
    texts = ("web", "203.0.113.7", "1", "acme", "droplet:1")
    addresses = [f"{SEARCH}?fragment=1&q={text}" for text in texts]
    few = [len(queries_of(client, address)) for address in addresses]
    some_of_everything(20)

    assert [len(queries_of(client, address)) for address in addresses] == few
    assert max(few) <= 12


def test_tenants_are_found_by_a_part_wherever_they_are_named(db: None) -> None:
    a_deployment("acme-corp", "shop")
    a_project("globex", tenant_id="Globex")
    observed(seen("1", tenant_id="initech"), seen("2", tenant_id="initrode"), seen("3", tenant_id="umbrella"))

    assert find_tenants("CORP", most=9) == ["acme-corp"]
    assert find_tenants("globe", most=9) == ["Globex"]
    assert find_tenants("init", most=9) == ["initech", "initrode"]
    assert find_tenants("umbrella", most=9) == ["umbrella"]
    assert find_tenants("", most=3) == ["Globex", "acme-corp", "initech"]
    assert find_tenants("%", most=9) == []
