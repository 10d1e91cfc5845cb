"""Fills the tables of a scratch database with as many rows as a big operator has, in seconds.

Rows are made by the server itself, and indexes after them; foreign keys are not checked meanwhile. What is
rare in a fleet is rare here: ten resources in a million stand in `syd1`, are `errored`, are a `registry`, or
have `needle` in their name, wherever in the table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

TENANTS: Final = 100
PROJECTS: Final = 1_000
DEPLOYMENTS: Final = 10_000

_OWNERS: Final = f"""
    INSERT INTO cloud_projects (provider, provider_id, name, description, purpose, environment, is_default,
                                tenant_id, attrs, first_seen_at, last_seen_at)
    SELECT 'digitalocean', 'project-' || n, CASE n WHEN 1 THEN 'skyai-internal' ELSE 'project-' || n END, '',
           '', '', false, CASE WHEN n > 1 THEN 'tenant-' || n % {TENANTS} END, '{{}}', now(), now()
    FROM generate_series(1, {PROJECTS}) AS n;
    INSERT INTO cloud_deployments (tenant_id, slug, display_name, region, state, created_at)
    SELECT 'tenant-' || n % {TENANTS}, 'app-' || n, 'App ' || n, 'fra1', 'active', now()
    FROM generate_series(1, {DEPLOYMENTS}) AS n;
"""

_MORE_DEPLOYMENTS: Final = f"""
    INSERT INTO cloud_deployments (tenant_id, slug, display_name, region, state, created_at)
    SELECT 'tenant-' || n % {TENANTS}, 'more-' || n, 'More ' || n, 'fra1', 'active', now()
    FROM generate_series(1, %s) AS n;
"""

# A tenant's resources stand in its own projects and belong to its own deployments: all have numbers that are
# the same modulo TENANTS. The rare ones are a prime apart, so that they are different resources.
_RESOURCES: Final = f"""
    INSERT INTO cloud_resources (
        provider, kind, provider_id, urn, name, region, status, project_id, deployment_id, tenant_id,
        attributed_by, tags, attrs, monthly_price_cents, provider_created_at, first_seen_at, last_seen_at,
        deleted_at, stale_strike_count
    )
    SELECT 'digitalocean',
           CASE WHEN n % 100003 = 1 THEN 'registry' WHEN n % 20 < 14 THEN 'droplet'
                WHEN n % 20 < 17 THEN 'snapshot' WHEN n % 20 < 19 THEN 'volume' ELSE 'dns_zone' END,
           (300000000 + n)::text,
           'do:droplet:' || 300000000 + n,
           CASE WHEN n % 100019 = 2 THEN 'needle-' ELSE 'web-' END || to_char(n, 'FM0000000') || '.example',
           CASE WHEN n % 100043 = 3 THEN 'syd1' ELSE (ARRAY['fra1', 'ams3', 'nyc3', 'sgp1'])[n % 4 + 1] END,
           CASE WHEN n % 100049 = 4 THEN 'errored' WHEN n % 20 = 0 THEN 'off' ELSE 'active' END,
           (SELECT min(id) FROM cloud_projects) - 1 + nullif(owned % {PROJECTS}, 0),
           (SELECT min(id) FROM cloud_deployments) - 1 + nullif(owned % {DEPLOYMENTS}, 0),
           'tenant-' || owned % {TENANTS},
           CASE WHEN owned IS NULL THEN '' ELSE 'project' END,
           ARRAY['role:' || n % 500, 'tenant:tenant-' || n % {TENANTS}, 'web'],
           jsonb_build_object(
               'size_slug', 's-1vcpu-1gb', 'memory_mb', 1024, 'vcpus', 1, 'disk_gb', 25,
               'image', jsonb_build_object('id', 129211873, 'slug', 'ubuntu-24-04-x64'),
               'vpc_uuid', '760e09ef-dc84-11e8-981e-3cfdfeaae000', 'features', ARRAY['backups', 'ipv6'],
               'volume_ids', ARRAY[]::text[], 'snapshot_ids', ARRAY[53893572],
               'ipv4_public', ARRAY['203.0.113.' || n % 250], 'ipv4_private', ARRAY['10.128.192.' || n % 250],
               'ipv6_public', ARRAY['2604:a880:2:d1::aa:' || n], 'gpu', NULL, 'locked', false,
               'next_backup_window', NULL
           ),
           600, now() - interval '30 days', now() - interval '30 days', now(),
           CASE WHEN n % 53 = 7 THEN now() END, 0
    FROM generate_series(1, %s) AS n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 1009 <> 5 THEN n END) AS whose(owned)
"""

# Runs of 1,000 events, spread over the resources; an event in five is a discovery, as if each resource had
# changed four times since.
_EVENTS: Final = """
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT (SELECT min(id) FROM cloud_resources) + n % %s,
           (ARRAY['discovered', 'updated', 'updated', 'tagged', 'updated'])[n % 5 + 1],
           CASE WHEN n % 5 = 0 THEN '{}' ELSE '{"status": ["active", "off"]}'::jsonb END,
           now() - (%s - n) * interval '1 second', 'beat', 'run:' || n / 1000
    FROM generate_series(1, %s) AS n
"""


def fill_resources(count: int) -> None:
    """So many resources over TENANTS tenants, with their projects and deployments; one in 53 is a tombstone.

    One in a thousand is nobody's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        with _indexed_after("cloud_resources"):
            cursor.execute(_RESOURCES.replace(" % ", " %% "), [count])
        cursor.execute("VACUUM ANALYZE cloud_resources, cloud_projects, cloud_deployments")


def fill_events(count: int, *, resources: int) -> None:
    """So many events of the first `resources` resources, oldest first."""
    with connection.cursor() as cursor:
        with _indexed_after("cloud_resource_events"):
            cursor.execute(_EVENTS.replace("n % ", "n %% "), [resources, count, count])
        cursor.execute("VACUUM ANALYZE cloud_resource_events")


_MORE_DRIFT = """
    INSERT INTO cloud_drift
        (resource_id, kind, field, expected, actual, cause, status, detected_at, last_seen_at)
    SELECT id, kind, 'size_slug', '"s-2vcpu-4gb"', '"s-1vcpu-1gb"', md5((id % 100)::text), 'open',
        now(), now()
    FROM cloud_resources ORDER BY id LIMIT %s
"""


def fill_deployments(count: int) -> None:
    """Add so many deployments without resources."""
    with connection.cursor() as cursor:
        cursor.execute(_MORE_DEPLOYMENTS.replace(" % ", " %% "), [count])
        cursor.execute("VACUUM ANALYZE cloud_deployments")


@contextmanager
def _indexed_after(table: str) -> Iterator[None]:
    """Do without the table's indexes, but for its constraints', and without its foreign keys' checks."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '512MB'"
        )
        cursor.execute(
            """
            SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = %s::regclass
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
            """,
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)


def fill_drift(count: int) -> None:
    """Write as many open rows of drift, of the first so many resources, in a hundred causes."""
    with connection.cursor() as cursor:
        cursor.execute(_MORE_DRIFT.replace(" % ", " %% "), [count])
        cursor.execute("VACUUM ANALYZE cloud_drift")
