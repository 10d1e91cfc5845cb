"""The inventory API among many rows: as many queries as among few, and each by an index."""

import re
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from tests.access import bearer, token_of
from tests.console.search_plans import assert_search_is_indexed, rows_read
from tests.filling import filling

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]
EVERYDAY, MATRIX = 200_000, 1_000_000
MOST_REMOVED, OF_A_TENANT = 200, 2_000
BY_TWO_LETTERS = "a tenant's, by two letters of the name"
# A page by its query and its caller: a tenant, or None for an operator. Tombstones are the older half.
PAGES = {
    "a tenant's list": ({}, "acme"),
    "a tenant's list, upwards": ({"ordering": "id"}, "acme"),
    "a tenant's list by name": ({"ordering": "name"}, "acme"),
    "a tenant's tombstones": ({"deleted": "true"}, "acme"),
    "everybody's list": ({}, None),
    "everybody's list, upwards": ({"ordering": "id"}, None),
    "tombstones": ({"deleted": "true"}, None),
    "by name": ({"ordering": "name"}, None),
    "by name, downwards": ({"ordering": "-name"}, None),
    "tombstones by name, downwards": ({"deleted": "true", "ordering": "-name"}, None),
    "a rare kind": ({"kind": "registry"}, None),
    "a rare kind's tombstones": ({"kind": "registry", "deleted": "true"}, None),
    "a rare region": ({"region": "syd1"}, None),
    "a rare status": ({"status": "errored"}, None),
    "by tag": ({"tag": "rare"}, None),
    "by a part of the name": ({"q": "Needle-77"}, None),
    BY_TWO_LETTERS: ({"q": "77"}, "acme"),
    "one tenant of all": ({"tenant": "acme"}, None),
}
INDEXES = {
    "a tenant's list": "resource_live_by_tenant_id",
    "a tenant's list, upwards": "resource_live_by_tenant_id",
    "a tenant's tombstones": "resource_gone_by_tenant_id",
    "everybody's list": "resource_live",
    "everybody's list, upwards": "resource_live",
    "tombstones": "resource_gone",
    "by name": "resource_live_by_name",
    "by name, downwards": "resource_live_by_name",
    "tombstones by name, downwards": "resource_gone_by_name",
    "a rare kind": "resource_live_by_kind",
    "a rare kind's tombstones": "resource_gone_by_kind",
    "a rare region": "resource_live_by_region",
    "a rare status": "resource_live_by_status",
    "by tag": "resource_tagged_any_case",
    "by a part of the name": "resource_name_contains",
    BY_TWO_LETTERS: "resource_live_by_tenant_id",
    "one tenant of all": "resource_live_by_tenant_id",
}
CONSOLE_PAGES = {
    "the console's list": "",
    "the console's list by name": "?o=1",
    "the console's tombstones": "?life=deleted",
    "the console's list of everything": "?life=all",
    "the console's list of everything by name": "?life=all&o=1",
    "the console's rare kind, live or gone": "?life=all&kind=registry",
    "the console's rare region": "?region=syd1",
    "the console's rare status": "?status=errored",
    "nobody's": "?owner=unattributed",
    "nobody's, by name": "?owner=unattributed&o=1",
    "the console's search": "?q=needle-77",
    "the console's list by kind": "?o=2",
    "the console's list by kind, downwards": "?o=-2",
    "the console's list by region": "?o=-3",
    "the console's list by status": "?o=4",
    "the console's list by owner, downwards": "?o=-5",
    "the console's cheapest": "?o=7",
    "the console's dearest": "?o=-7",
    "the console's tombstones by kind": "?life=deleted&o=2",
}

_FILL = """
    INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status, tenant_id,
                                 attributed_by, tags, attrs, monthly_price_cents, first_seen_at,
                                 last_seen_at, deleted_at, stale_strike_count)
    SELECT 'digitalocean', CASE WHEN n %% 10000 < 2 THEN 'registry' ELSE 'droplet' END, n::text, '',
           CASE WHEN n %% 5000 = 77 THEN 'needle-77-' || n
                WHEN n %% 20 = 9 THEN 'namesake'
                ELSE 'web-' || n END,
           CASE WHEN n %% 10000 = 3 THEN 'syd1' ELSE 'fra1' END,
           CASE WHEN n %% 10000 = 4 THEN 'errored' ELSE 'active' END,
           CASE WHEN n %% 1000 < 2 THEN 'acme' ELSE 'tenant-' || n %% 100 END,
           CASE WHEN n %% 10000 = 6 THEN '' ELSE 'project' END,
           CASE WHEN n %% 10000 = 5 THEN ARRAY['rare', 'web'] ELSE ARRAY['web', 'role:' || n %% 500] END,
           jsonb_build_object(
               'vcpus', 1, 'ipv4_public', jsonb_build_array(host('20.0.0.0'::inet + n)),
               'ipv6_public', jsonb_build_array(upper(host('2001:db8::'::inet + n)))
           ), CASE WHEN n %% 3 = 0 THEN 600 END, now(), now(), CASE WHEN n <= %s THEN now() END, 0
    FROM generate_series(%s::bigint, %s::bigint) AS n
"""


def fill(first: int, last: int, *, gone_until: int) -> None:
    with filling("cloud_resources") as cursor:
        cursor.execute(_FILL, [gone_until, first, last])


def asked(client: Client, query: dict[str, str], tenant: str | None) -> CaptureQueriesContext:
    """The queries of one page."""
    token = token_of(tenant=tenant) if tenant else token_of("platform_admin")
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/api/v1/inventory", query, headers=bearer(token))
    assert answer.status_code == 200
    assert answer.json()["results"]
    return queries


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ANALYZE {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Figures to show at the end."""
    found: list[str] = []
    yield found
    with capsys.disabled():
        print("\n" + "\n".join(found))  # noqa: T201 - the figures are wanted


def asked_of_the_console(client: Client, query: str) -> list[str]:
    """The statements of one page of the console that read resources."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/admin/inventory/resource/{query}")
    assert answer.status_code == 200
    assert answer.context["cl"].result_list
    # Not the chips' counts, which narrow nothing and stop at what they show: tests/console/search_plans.py.
    read = [query["sql"] for query in queries.captured_queries if 'FROM "cloud_resources"' in query["sql"]]
    return read[:1] + read[-1:]


def many_of(request: pytest.FixtureRequest) -> int:
    return MATRIX if request.config.getoption("--matrix") else EVERYDAY


def assert_fast(plan: str, index: str = " on cloud_resources", *, most_read: int = OF_A_TENANT) -> None:
    """Read by an index, no more than a few pages of rows, or where need be a tenant's."""
    assert "Seq Scan on cloud_resources" not in plan, plan
    assert re.search(rf"{index}\b", plan), plan
    most = OF_A_TENANT if index == INDEXES[BY_TWO_LETTERS] else MOST_REMOVED
    assert all(int(count) <= most for count in re.findall(r"Removed by Filter: (\d+)", plan)), plan
    # What is sorted was read before: a page's order is its index's.
    assert rows_read(plan) <= most_read, plan


def test_a_page_costs_as_much_among_many_as_among_few(
    client: Client, request: pytest.FixtureRequest, lines: list[str]
) -> None:
    many = many_of(request)
    fill(1, 50, gone_until=25)
    with connection.cursor() as cursor:
        cursor.execute("""
            UPDATE cloud_resources
            SET tenant_id = 'acme', tags = '{rare}', name = 'needle-77', kind = 'registry', region = 'syd1',
                status = 'errored'
        """)
    few = {name: len(asked(client, *page)) for name, page in PAGES.items()}
    fill(51, many, gone_until=many // 2)
    for name, page in PAGES.items():
        began = time.perf_counter()
        queries = asked(client, *page)
        seconds = time.perf_counter() - began
        assert len(queries) == few[name] == 1
        plan = plan_of(queries.captured_queries[0]["sql"])
        lines.append(f"{name}: {seconds * 1000:.1f} ms, {plan.splitlines()[-1].strip()}, {many} rows")
        assert_fast(plan, INDEXES.get(name, " on cloud_resources"))


def test_the_console_lists_many_by_an_index_and_counts_no_further_than_it_shows(
    admin_client: Client, request: pytest.FixtureRequest, lines: list[str]
) -> None:
    many = many_of(request)
    fill(1, many, gone_until=many // 2)
    for name, query in CONSOLE_PAGES.items():
        count, page = asked_of_the_console(admin_client, query)
        assert f"LIMIT {MOST_COUNTED + 1}" in count
        plans = [plan_of(count), plan_of(page)]
        lines.append(f"{name}: " + ", ".join(plan.splitlines()[-1].strip() for plan in plans))
        assert_fast(plans[1])
        # What narrows nothing stops at the first 10,001 rows.
        if not re.fullmatch(r"(\?(life=\w+)?&?(o=-?\d)?)?", query):
            assert_fast(plans[0], most_read=MOST_COUNTED + 1)
    lines += assert_search_is_indexed(needle=f"needle-77-{many - 4_923}")
