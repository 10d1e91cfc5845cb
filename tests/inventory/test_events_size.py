"""The history among many events: every page of it is read by an index, and adding to it costs no check."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.models import Resource, SyncRun
from tests.access import bearer, token_of
from tests.console.rows import a_run
from tests.filling import filling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]
RESOURCES = 2_000
EVERYDAY, MATRIX = 200_000, 1_000_000
MOST_REMOVED = 200

_RESOURCES = """
    INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status, tenant_id,
                                 attributed_by, tags, attrs, first_seen_at, last_seen_at, stale_strike_count)
    SELECT 'digitalocean', 'droplet', n::text, '', 'web-' || n, 'fra1', 'active', 'acme', 'project',
           '{}', '{}', now(), now(), 0
    FROM generate_series(1, %s) AS n
"""
# The first resource has a thousandth of all, and the first run the oldest tenth: it discovered everything.
_EVENTS = """
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT CASE n %% 1000 WHEN 0 THEN %s ELSE %s + n %% %s END, 'updated', '{"status": ["active", "off"]}',
           now(), 'beat', 'run:' || CASE WHEN n <= %s THEN %s ELSE %s + n / 1000 END
    FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def events(request: pytest.FixtureRequest) -> tuple[Resource, SyncRun]:
    """Very many of them; returns the resource and the run that have most."""
    many = MATRIX if request.config.getoption("--matrix") else EVERYDAY
    run = a_run()
    with filling("cloud_resource_events", "cloud_resources") as cursor:
        cursor.execute(_RESOURCES, [RESOURCES])
        resource = Resource.objects.order_by("pk")[0]
        first = resource.pk
        cursor.execute(_EVENTS, [first, first, RESOURCES, many // 10, run.pk, run.pk + 1, many])
    return resource, run


def reads_of(client: Client, address: str, headers: dict[str, str] | None = None) -> list[str]:
    """The statements of one page that read events."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    found = [query["sql"] for query in queries.captured_queries if "cloud_resource_events" in query["sql"]]
    assert found
    return found


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ANALYZE {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_history_is_read_by_an_index_among_any_number_of_events(
    client: Client, admin_client: Client, events: tuple[Resource, SyncRun]
) -> None:
    resource, run = events
    operator, tenant = bearer(token_of("platform_admin")), bearer(token_of(tenant="acme"))
    history = f"/api/v1/inventory/{resource.pk}/events"
    deep = client.get(history, headers=operator).json()["next"]
    listed = "/admin/inventory/resourceevent/"
    of_resource, of_source, newest = "event_of_resource", "event_of_source", "cloud_resource_events_pkey"
    since = "event_changed_hands|event_of_resource"
    pages = [
        (of_resource, reads_of(client, history, operator)),
        (of_resource, reads_of(client, deep, operator)),
        (of_resource, reads_of(client, f"{history}?ordering=id", operator)),
        (since, reads_of(client, history, tenant)),
        (of_resource, reads_of(admin_client, f"/admin/inventory/resource/{resource.pk}/change/")),
        (of_resource, reads_of(admin_client, f"{listed}?resource={resource.pk}")),
        (of_source, reads_of(admin_client, f"/admin/inventory/syncrun/{run.pk}/change/")),
        (of_source, reads_of(admin_client, f"{listed}?source=run:{run.pk}")),
        (newest, reads_of(admin_client, listed)),
    ]
    for index, statements in pages:
        for statement in statements:
            if "COUNT(" in statement and index == newest:
                continue  # the first 10,001 of all, wherever they are
            plan = plan_of(statement)
            assert re.search(rf"({index})\b", plan), plan
            assert "Seq Scan on cloud_resource_events" not in plan, plan
            removed = re.findall(r"Removed by Filter: (\d+)", plan)
            assert all(int(count) <= MOST_REMOVED for count in removed), plan


def test_what_keeps_history_append_only_costs_nothing_when_it_grows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT trigger_name, event_manipulation, action_orientation FROM information_schema.triggers
            WHERE event_object_table = 'cloud_resource_events'
        """)
        assert set(cursor.fetchall()) == {  # it doesn't list TRUNCATE
            ("history_is_append_only", "UPDATE", "ROW"),
            ("history_is_append_only", "DELETE", "ROW"),
            ("events_are_fed", "INSERT", "STATEMENT"),  # the tenants' feed: once for thousands of rows
        }
