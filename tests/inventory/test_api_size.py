"""The inventory API among many rows: as many queries as among few, and each by an index."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.access import bearer, token_of

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]
EVERYDAY, MATRIX = 200_000, 1_000_000
PAGES = {
    "a tenant's list": ({}, "acme"),
    "a tenant's list by name": ({"ordering": "name"}, "acme"),
    "everybody's list": ({}, None),
    "by name": ({"ordering": "name"}, None),
    "by name, downwards": ({"ordering": "-name"}, None),
    "by tag": ({"tag": "rare"}, None),
    "by a part of the name": ({"q": "Needle-77"}, None),
    "one tenant of all": ({"tenant": "acme"}, None),
}
INDEXES = {
    "a tenant's list": "resource_of_tenant",
    "by name": "resource_by_name",
    "by tag": "resource_tagged",
    "by a part of the name": "resource_name_contains",
    "one tenant of all": "resource_of_tenant",
}

_FILL = """
    INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status, tenant_id,
                                 attributed_by, tags, attrs, first_seen_at, last_seen_at, stale_strike_count)
    SELECT 'digitalocean', 'droplet', n::text, '',
           CASE WHEN n %% 5000 = 77 THEN 'needle-77-' ELSE 'web-' END || n, 'fra1', 'active',
           CASE WHEN n %% 1000 = 0 THEN 'acme' ELSE 'tenant-' || n %% 100 END, 'project',
           CASE WHEN n %% 10000 = 5 THEN ARRAY['rare', 'web'] ELSE ARRAY['web', 'role:' || n %% 500] END,
           jsonb_build_object('vcpus', 1), now(), now(), 0
    FROM generate_series(%s::bigint, %s::bigint) AS n
"""


def fill(first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [first, last])
        cursor.execute("VACUUM ANALYZE cloud_resources")


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


def test_a_page_costs_as_much_among_many_as_among_few(
    client: Client, request: pytest.FixtureRequest, lines: list[str]
) -> None:
    many = MATRIX if request.config.getoption("--matrix") else EVERYDAY
    fill(1, 50)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cloud_resources SET tenant_id = 'acme', tags = '{rare}', name = 'needle-77'")
    few = {name: len(asked(client, *page)) for name, page in PAGES.items()}
    fill(51, many)
    for name, page in PAGES.items():
        began = time.perf_counter()
        queries = asked(client, *page)
        seconds = time.perf_counter() - began
        assert len(queries) == few[name] == 1
        plan = plan_of(queries.captured_queries[0]["sql"])
        lines.append(f"{name}: {seconds * 1000:.1f} ms, {plan.splitlines()[-1].strip()}, {many} rows")
        assert "Seq Scan on cloud_resources" not in plan, plan
        assert INDEXES.get(name, " on cloud_resources") in plan, plan
