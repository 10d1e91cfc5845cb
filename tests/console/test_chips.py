"""The list of resources: chips for its filters with their counts, and columns that sort."""

import html
import re

import pytest
from django.test import Client

from arcadia_cloud.kernel.console import paging
from inventory.admin import chips
from inventory.values import Kind
from tests.console.conftest import Login
from tests.inventory.observations import a_project, minute, observed, seen, tombstone

RESOURCES = "/admin/inventory/resource/"
CHIP = re.compile(
    r'<a href="([^"]*)" class="console-chip( console-chip-chosen)?"[^>]*>'
    r"([^<]+?)(?: <span>([^<]*)</span>)?(?: <span|</a>)"
)


def chips_of(client: Client, query: str = "") -> dict[str, tuple[str, str, bool]]:
    """Each chip's count, address, and whether it is chosen."""
    page = client.get(f"{RESOURCES}{query}").content.decode()
    return {
        words.strip(): (count, html.unescape(href), bool(chosen))
        for href, chosen, words, count in CHIP.findall(page)
    }


@pytest.fixture
def fleet(db: None) -> None:
    acme = a_project("acme", tenant_id="acme")
    observed(
        seen("1", name="b", project_id=acme.pk, monthly_price_cents=700),
        seen("2", name="a", region="syd1", status="off", monthly_price_cents=None),
        seen("3", name="c", monthly_price_cents=900),
        seen("4", name="gone"),
    )
    observed(seen("v", name="d", region="", monthly_price_cents=100), kind=Kind.VOLUME)
    tombstone(["4"], at=minute(5))


def test_each_choice_is_a_click_with_its_count_and_a_second_click_takes_it_back(
    viewer: Client, fleet: None
) -> None:
    found = chips_of(viewer)
    assert {words: count for words, (count, _, _) in found.items()} == {
        "A tenant&#x27;s": "", "Unattributed": "3", "Ours": "", "Droplet": "3", "Volume": "1", "fra1": "2",
        "syd1": "1", "no region": "1", "active": "3", "off": "1", "Dearest first": "",
    }  # fmt: skip
    narrowed = chips_of(viewer, f"{found['Droplet'][1]}&p=2")
    assert narrowed["Droplet"] == ("3", "?", True)
    assert narrowed["syd1"][1] == "?kind=droplet&region=syd1"
    rows = viewer.get(f"{RESOURCES}{narrowed['syd1'][1]}").context["cl"].result_list
    assert [row.name for row in rows] == ["a"]
    assert [
        row.name for row in viewer.get(f"{RESOURCES}{found['no region'][1]}").context["cl"].result_list
    ] == ["d"]
    assert "Droplet" not in chips_of(viewer, "?life=deleted")


@pytest.mark.parametrize(
    ("query", "counted"),
    [
        ("owner=unattributed", {"Unattributed": "3"}),
        ("kind=droplet", {"Droplet": "3", "Volume": "1"}),
        ("kind=droplet&o=-2&p=0", {"Droplet": "3", "Volume": "1"}),
        ("kind=droplet&life=live", {"Droplet": "3", "Volume": "1"}),
        ("kind=droplet&region=syd1", {}),
        ("q=a", {}),
    ],
)
def test_no_choice_has_the_number_of_another_list(
    viewer: Client, fleet: None, query: str, counted: dict[str, str]
) -> None:
    found = chips_of(viewer, f"?{query}")
    assert {words: count for words, (count, _, _) in found.items() if count} == counted


def test_more_than_a_list_counts_are_counted_no_further(
    viewer: Client, fleet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chips, "MOST_COUNTED", 2)
    assert chips_of(viewer)["Droplet"][0] == "2+"
    assert chips_of(viewer)["fra1"][0] == "2"
    assert paging.MOST_COUNTED == 10_000


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_the_dearest_come_first_and_what_has_no_price_last(login: Login, fleet: None, group: str) -> None:
    client = login(group)
    address = chips_of(client)["Dearest first"][1]
    rows = client.get(f"{RESOURCES}{address}").context["cl"].result_list
    assert [row.name for row in rows] == ["c", "b", "d", "a"]
    rows = client.get(f"{RESOURCES}{address.replace('-', '')}").context["cl"].result_list
    assert [row.name for row in rows] == ["a", "d", "b", "c"]


def test_every_column_that_has_an_index_sorts(operator: Client, fleet: None) -> None:
    def sortable(query: str) -> list[str]:
        page = operator.get(f"{RESOURCES}{query}").content.decode()
        return re.findall(r"<th [^>]*sortable column-(\w+)", page)

    assert sortable("") == ["title", "kind", "region", "state", "owner", "price"]
    assert sortable("?life=deleted") == ["title", "kind", "region", "state", "owner"]
    assert sortable("?life=all") == ["title"]
    rows = operator.get(f"{RESOURCES}?o=-2").context["cl"].result_list
    assert [row.kind for row in rows] == ["volume", "droplet", "droplet", "droplet"]
