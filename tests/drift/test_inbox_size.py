"""The inbox among very many open rows: as many queries as among few, no list read beyond its page."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from drift.models import Drift
from tests.access import bearer, token_of
from tests.drift.rows import drifted
from tests.filling import filling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]
EVERYDAY, MATRIX = 20_000, 100_000
INBOX, LIST = "/admin/drift/drift/", "/api/v1/drift"
MOST_OF_A_PAGE = 200

_RESOURCES = """
    INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status, tenant_id,
                                 attributed_by, tags, attrs, first_seen_at, last_seen_at, stale_strike_count)
    SELECT 'digitalocean', 'droplet', 'many-' || n, '', 'web-' || n, 'fra1', 'active', 'acme', 'project',
           '{}', '{}', now(), now(), 0
    FROM generate_series(1, %s) AS n
"""
# Twice as many that were settled long ago: no page of what is open may read them.
_DRIFT = """
    INSERT INTO cloud_drift (resource_id, kind, field, expected, actual, cause, status, detected_at,
                             last_seen_at, resolved_at)
    SELECT id, kind, 'region', '"ams3"', '"fra1"', md5((id % 100)::text), state,
           now() - id % 900 * interval '1 hour', now(), CASE WHEN state <> 'open' THEN now() END
    FROM cloud_resources CROSS JOIN unnest(ARRAY['open', 'accepted', 'reverted']) AS state
    WHERE provider_id LIKE 'many-%'
"""


def fill(open_rows: int) -> None:
    with filling("cloud_drift", "cloud_resources") as cursor:
        cursor.execute(_RESOURCES, [open_rows])
        cursor.execute(_DRIFT)


def statements_of(
    client: Client, address: str, headers: dict[str, str] | None = None
) -> list[tuple[str, Any]]:
    """Return what a page asks of the database, with the parameters."""
    found: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer
    return found


def rows_read(statement: str, params: Any) -> int:
    """Count the rows of drift that the server looks at for it, those that it throws away included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    read: float = 0
    for node in nodes_of(plan[0]["Plan"]):
        if node.get("Relation Name") == "cloud_drift":
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += (node["Actual Rows"] + removed) * node["Actual Loops"]
    return round(read)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def test_the_inbox_opens_in_constant_queries_and_reads_what_it_shows(
    client: Client, admin_client: Client, request: pytest.FixtureRequest
) -> None:
    many = MATRIX if request.config.getoption("--matrix") else EVERYDAY
    (first,) = drifted("web")
    operator = bearer(token_of("platform_admin"))
    pages: list[tuple[Client, str, dict[str, str] | None]] = [
        (admin_client, INBOX, None),
        (admin_client, f"{INBOX}?kind=droplet&field=region", None),
        (admin_client, f"{INBOX}?p=5", None),
        (client, LIST, operator),
        (client, f"{LIST}?ordering=detected_at", operator),
        (client, f"{LIST}/summary", operator),
    ]
    few = [len(statements_of(*page)) for page in pages]
    fill(many)
    cause = Drift.objects.open().exclude(pk=first.pk)[0].cause
    narrowed: list[tuple[Client, str, dict[str, str] | None]] = [
        (admin_client, f"{INBOX}?cause={cause}", None),
        (client, f"{LIST}?cause={cause}", operator),
        (client, client.get(LIST, headers=operator).json()["next"], operator),
    ]
    found = [statements_of(*page) for page in (*pages, *narrowed)]

    assert [len(statements) for statements in found[: len(pages)]] == few
    for (_, address, _), statements in zip((*pages, *narrowed), found, strict=True):
        for statement, params in statements:
            if "cloud_drift" not in statement:
                continue
            called = statement.lower()
            if "min(" in called:
                most = many + MOST_OF_A_PAGE  # the groups of what is open: each row of it once
            elif "count(" in called:
                most = MOST_COUNTED + 1
            elif "p=5" in address:
                most = 6 * MOST_OF_A_PAGE  # the console reads a list from its beginning
            else:
                # One cause in a hundred is found among the newest open rows, none of them settled.
                most = 50 * MOST_OF_A_PAGE if "cause=" in address else MOST_OF_A_PAGE
            read = rows_read(statement, params)
            assert read <= most, f"{address} reads {read} rows of drift:\n{statement}"
