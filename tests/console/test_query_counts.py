"""The console's pages ask as many queries among many rows as among few."""

from collections.abc import Iterable
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote as quoted
from django.test import Client

from inventory.models import Resource, ResourceEvent
from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST, a_run, queries_of, some_of_everything
from tests.inventory.observations import a_project, minute, observed, seen, tombstone

LISTS = (*EVERY_LIST, *ACCESS_LISTS)
RESOURCES = "/admin/inventory/resource/"
NARROWED = (
    "inventory/resource/?life=all&kind=droplet&region=fra1&status=active",
    "inventory/resource/?life=deleted",
    "inventory/resource/?owner=unattributed",
    "inventory/resource/?owner=tenants&o=1",
    "inventory/resource/?tag=env:test",
    "inventory/resource/?q=web",
    "inventory/resource/?q=w",
    "inventory/resourceevent/?source=run:1",
    "inventory/resourceevent/?resource={resource}",
    "inventory/syncrun/?outcome=complete&kind=droplet",
    "inventory/project/?life=all&q=project",
    "kernel/alert/?state=all&severity=warning&q=wrong",
)


def test_every_page_of_the_console_is_in_these_tests() -> None:
    assert {model._meta.label_lower.replace(".", "/") for model in admin.site._registry} == set(LISTS)


def shown(client: Client, address: str) -> int:
    return len(client.get(address).context["cl"].result_list)


def counts_of(client: Client, addresses: Iterable[str], *, again: bool = False) -> dict[str, int]:
    """Count the queries of each page."""
    return {address: len(queries_of(client, address, again=again)) for address in addresses}


def test_a_list_asks_as_many_queries_at_twenty_rows_as_at_one(login: Login) -> None:
    client = login("superuser")
    lists = [f"/admin/{name}/" for name in LISTS]
    some_of_everything(1)
    at_one, few = counts_of(client, lists), {address: shown(client, address) for address in lists}
    some_of_everything(20)

    assert counts_of(client, lists, again=True) == at_one
    assert all(shown(client, address) >= few[address] + 20 for address in lists)


def test_a_narrowed_list_asks_as_many_queries_at_twenty_rows_as_at_one(viewer: Client) -> None:
    acme = a_project("project", tenant_id="acme")

    def some(first: int, last: int) -> None:
        numbers = range(first, last + 1)
        observed(*(seen(f"{number}-{whose}") for number in numbers for whose in ("nobodys", "gone")))
        observed(*(seen(f"{number}-acme", project_id=acme.pk) for number in numbers))
        tombstone([f"{number}-gone" for number in numbers], at=minute(9))
        some_of_everything(last + 1 - first)

    some(1, 1)
    resource = Resource.objects.get(provider_id="1-nobodys").pk
    lists = [f"/admin/{query}".format(resource=resource) for query in NARROWED]
    at_one, few = counts_of(viewer, lists), {address: shown(viewer, address) for address in lists}
    some(2, 21)
    for number in range(20):
        observed(seen("1-nobodys", status=f"status-{number}"), at=minute(number + 10))

    assert counts_of(viewer, lists, again=True) == at_one
    assert {address: shown(viewer, address) - few[address] >= 20 for address in lists} == dict.fromkeys(
        lists, True
    )


def test_a_page_asks_as_many_queries_among_twenty_rows_as_alone(login: Login) -> None:
    client = login("superuser")
    some_of_everything(1)
    pages = []
    for name in LISTS:
        row = apps.get_model(name.replace("/", "."))._default_manager.order_by("pk").first()
        assert row is not None, name
        pages.append(f"/admin/{name}/{quote(quoted(str(row.pk)))}/change/")
    alone = counts_of(client, pages)
    some_of_everything(20)

    assert counts_of(client, pages, again=True) == alone


@pytest.mark.parametrize("name", ["resource", "syncrun"])
def test_a_page_asks_as_many_queries_at_forty_events_as_at_one(viewer: Client, name: str) -> None:
    run = a_run()
    observed(seen(), source=f"run:{run.pk}")
    pk = run.pk if name == "syncrun" else Resource.objects.get().pk
    at_one = queries_of(viewer, f"/admin/inventory/{name}/{pk}/change/")
    for number in range(40):
        observed(seen(status=f"status-{number}"), at=minute(number + 1), source=f"run:{run.pk}")

    at_forty = queries_of(viewer, f"/admin/inventory/{name}/{pk}/change/")

    assert ResourceEvent.objects.count() == 41
    assert len(at_forty) == len(at_one), "\n".join(at_forty)


def test_home_asks_as_many_queries_at_twenty_rows_as_at_none(login: Login) -> None:
    client = login("viewer")
    empty = queries_of(client, "/admin/")
    some_of_everything(20)
    a_run(500, kind="volume", outcome="")

    full = queries_of(client, "/admin/")

    assert len(full) == len(empty), "\n".join(full)
