"""Lists and pages: what they show, and that their cost doesn't grow with the table."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from arcadia_cloud.console.empty_lists import EMPTY_LISTS
from arcadia_cloud.console.fleet_table import fleet_rows
from arcadia_cloud.kernel.console import paging
from inventory.kinds import registry
from inventory.models import Resource, SyncRun
from inventory.queries import fleet_cells
from inventory.values import Kind, RunMode, RunOutcome
from tests.console.conftest import Login
from tests.console.rows import EVERY_LIST, a_run, queries_of, some_of_everything
from tests.inventory.observations import a_project, minute, observed, seen, tombstone

RESOURCES = "/admin/inventory/resource/"


def file_of(answer: Any) -> bytes:
    """A download, taken to its end: each login has one at a time."""
    taken: bytes = answer.getvalue()
    return taken


def test_what_is_nobodys_is_listed_with_its_cost_and_the_reason(viewer: Client) -> None:
    observed(seen("1", monthly_price_cents=1250))
    Resource.objects.update(attribution_note="its tag says initech, its project says acme")

    home = viewer.get("/admin/").content.decode()
    text = viewer.get(f"{RESOURCES}?owner=unattributed").content.decode()
    page = viewer.get(f"{RESOURCES}{Resource.objects.get().pk}/change/").content.decode()

    assert f'href="{RESOURCES}?owner=unattributed"' in home  # from every page's navigation
    assert "its tag says initech, its project says acme" in text
    assert "its tag says initech, its project says acme" in page
    assert "$12.50" in text
    assert "its tag says" not in viewer.get(RESOURCES).content.decode()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["web-1", "web-2"]),
        ("?life=deleted", ["gone-3"]),
        ("?life=all&q=web", ["web-1", "web-2"]),
        ("?tenant=acme&p=1&o=-1", ["web-1"]),
        ("?owner=unattributed", ["web-2"]),
    ],
)
def test_the_list_is_exported_as_it_is_filtered(viewer: Client, query: str, names: list[str]) -> None:
    acme = a_project("acme", tenant_id="acme")
    observed(seen("1", project_id=acme.pk), seen("2"), seen("3", name="gone-3"))
    tombstone(["3"], at=minute(9))

    listed = viewer.get(f"{RESOURCES}{query}").content.decode()
    exported, as_csv = (file_of(viewer.get(f"{RESOURCES}export/{form}/{query}")) for form in ("json", "csv"))

    assert f'href="{RESOURCES}export/csv/{query.replace("&", "&amp;")}"' in listed
    rows = json.loads(exported)
    assert [row["name"] for row in rows] == names
    assert "monthly_price_cents" in rows[0]
    assert as_csv.count(b"\r\n") == len(names) + 1


def test_an_export_with_a_filter_that_is_none_leads_to_the_list(viewer: Client) -> None:
    answer = viewer.get(f"{RESOURCES}export/csv/?colour=blue")

    assert answer.headers["Location"] == f"{RESOURCES}?e=1"


def test_who_may_not_look_exports_nothing(login: Login) -> None:
    address = f"{RESOURCES}export/csv/"

    assert login("").get(address).status_code == 403
    assert Client().get(address).headers["Location"].startswith("/admin/login/")


def test_no_list_counts_the_whole_table(viewer: Client) -> None:
    some_of_everything(2)
    for name in EVERY_LIST:
        for sql in queries_of(viewer, f"/admin/{name}/"):
            is_bounded = f"LIMIT {paging.MOST_COUNTED + 1}" in sql
            # The schedule is as long as the code; the open alerts have an index of their own.
            is_small = "django_celery_beat" in sql or '"alerts"."resolved_at" IS NULL' in sql
            # The subscriptions of the page's own versions, by their index.
            is_of_the_page = '"plan_version_id" IN (' in sql and "GROUP BY" in sql
            # The head of the drift inbox counts the open and the ignored rows, by an index of their own.
            status = '"cloud_drift"."status"'
            is_of_the_inbox = f"{status} IN (" in sql or f"{status} = 'open'" in sql
            is_counted = is_bounded or is_small or is_of_the_page or is_of_the_inbox
            assert "COUNT(" not in sql or is_counted, sql


def test_the_pages_end_where_the_counting_ends(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 60)
    observed(*[seen(str(number)) for number in range(1000, 1070)])

    page = viewer.get(RESOURCES)

    assert page.context["cl"].paginator.num_pages == 2
    assert "search or filter to find the others" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"web-1", "web-2", "web-3", "web-5"}),
        ("?life=deleted", {"gone-4"}),
        ("?life=all", {"web-1", "web-2", "web-3", "gone-4", "web-5"}),
        ("?q=EB-1", {"web-1"}),
        ("?q=2", {"web-2"}),  # the provider's id, whole
        ("?kind=volume", set()),
        ("?region=ams3", {"web-2"}),
        ("?status=off", {"web-3"}),
        ("?tenant=acme", {"web-1"}),
        ("?tag=role:web", {"web-2"}),
        ("?owner=tenants", {"web-1"}),
        ("?owner=unattributed", {"web-2", "web-5"}),  # web-3 stands in our own project
    ],
)
def test_resources_are_found(viewer: Client, query: str, found: set[str]) -> None:
    acme, ours = a_project("acme", tenant_id="acme"), a_project("skyai-internal")
    unclassified = a_project("new one")
    observed(
        seen("1", project_id=acme.pk),
        seen("2", region="ams3", tags=["role:web"]),
        seen("3", project_id=ours.pk, status="off"),
        seen("4", name="gone-4"),
        seen("5", project_id=unclassified.pk),
    )
    tombstone(["4"], at=minute(9))

    page = viewer.get(f"{RESOURCES}{query}")

    assert {row.name for row in page.context["cl"].result_list} == found


def test_what_the_provider_says_is_shown_as_text(viewer: Client) -> None:
    evil = '<script>alert("1")</script>'
    observed(seen(name=evil, status=evil, tags=[evil], attrs={evil: [evil]}, region="<b>"))
    resource = Resource.objects.get()
    observed(seen(name=f"{evil}2", tags=[f"{evil}2"]), at=minute(1))
    SyncRun.objects.update(error=evil)

    addresses = ["/admin/", RESOURCES, f"{RESOURCES}{resource.pk}/change/", "/admin/inventory/resourceevent/"]
    for address in addresses:
        assert evil.encode() not in viewer.get(address).content


def test_an_empty_console_says_what_to_do(operator: Client) -> None:
    text = operator.get("/admin/").content.decode()

    assert "Nothing was synced yet" in text
    assert "Sync now" in text
    for name in EVERY_LIST:
        answer = operator.get(f"/admin/{name}/")
        assert answer.status_code == 200
        explained = EMPTY_LISTS.get(name.replace("/", "."))
        # Filled by migrations, or headed by a link to the jobs page.
        if name not in {"billing/providerprice", "django_celery_beat/periodictask"}:
            assert explained is not None, name
            assert escape(explained.words) in answer.content.decode(), name


def test_home_shows_what_needs_a_hand(viewer: Client) -> None:
    acme = a_project("acme", tenant_id="acme")
    observed(seen("1", project_id=acme.pk), seen("2", region="ams3", monthly_price_cents=1250))
    a_run(1)
    a_run(2, kind="volume", outcome="")

    text = viewer.get("/admin/").content.decode()

    assert "$18.50 a month at list price" in text
    assert "$12.50 a month" in text  # nobody's
    assert "at least" not in text
    assert "stale: Droplet; never: " in text  # its last run is months old
    assert "40 of 100" in text
    assert "?kind=droplet&amp;region=ams3" in text


def test_homes_sums_say_that_they_lack_prices(operator: Client) -> None:
    observed(seen("1", monthly_price_cents=600), seen("2", monthly_price_cents=None))

    text = operator.get("/admin/").content.decode()

    assert "at least $6.00 a month at list price; 1 without a price" in text
    assert text.count("at least $6.00 a month") == 2  # both are unattributed, too


def test_homes_link_to_what_has_no_region_lists_that_alone(viewer: Client) -> None:
    observed(seen("1", name="somewhere"), seen("2", name="nowhere", region=""))

    assert f'href="{RESOURCES}?kind=droplet&amp;region=-"' in viewer.get("/admin/").content.decode()
    listed = viewer.get(f"{RESOURCES}?kind=droplet&region=-").content.decode()
    assert "nowhere" in listed
    assert "somewhere" not in listed


def test_a_price_that_nobody_tells_is_not_shown_as_nothing_to_pay(viewer: Client) -> None:
    observed(seen("1", monthly_price_cents=None))

    assert [(row.count, row.cost) for row in fleet_rows(fleet_cells())] == [(1, "-")]
    observed(seen("2", monthly_price_cents=600), seen("3", monthly_price_cents=0, region="ams3"))
    assert [(row.count, row.cost) for row in fleet_rows(fleet_cells())] == [(3, "at least $6.00")]


def test_kinds_are_named_as_people_say_them(viewer: Client) -> None:
    observed(seen("zone.example", name="zone.example"), kind=Kind.DNS_ZONE)
    going_on = a_run(kind="cdn_endpoint", outcome="")
    run = a_run(kind="dns_zone")
    zone = Resource.objects.get()

    pages = {
        "/admin/": ["DNS zone", "VPC", "CDN endpoint"],
        RESOURCES: ["DNS zone", "Reserved IP"],
        f"{RESOURCES}{zone.pk}/change/": ["DNS zone zone.example"],
        "/admin/inventory/syncrun/": ["DNS zone", "CDN endpoint"],
        f"/admin/inventory/syncrun/{run.pk}/change/": [f"run {run.pk}: DNS zone"],
        f"/admin/inventory/syncrun/{going_on.pk}/change/": ['aria-label="Sync of CDN endpoint"'],
    }
    for address, names in pages.items():
        page = viewer.get(address).content.decode()
        for name in names:
            assert name in page, address
        assert not re.search(r">[^<]*(dns_zone|cdn_endpoint|Dns|Vpc|Cdn|Reserved Ip)\b", page), address


def test_a_kind_that_is_not_set_up_is_not_late(viewer: Client) -> None:
    for entry in registry.SPECS:
        SyncRun.objects.create(
            kind=entry.kind,
            mode=RunMode.FULL,
            started_at=timezone.now(),
            finished_at=timezone.now(),
            outcome=RunOutcome.SKIPPED if entry.kind == Kind.SPACES_BUCKET else RunOutcome.COMPLETE,
        )

    text = viewer.get("/admin/").content.decode()

    assert "16 of 16" in text
    assert "every sync is fresh" in text
    assert "not set up" in text
