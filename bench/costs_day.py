"""`costs_day`: a day's accrued costs of a fleet, against a bare INSERT … SELECT over the same spans.

The floor knows no prices by sku and region and no cap: it joins spans to resources, and groups.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from django.db import connection

from bench.harness import Contender, Row, bench, compare
from bench.scratch import scratch_database
from billing.costs.days import accrue_day
from billing.models import DailyCost, ProviderPrice

RESOURCES: Final = 100_000
ROUNDS: Final = 3
DAY: Final = date(2026, 4, 15)
_FLOOR: Final = """
    INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
    SELECT %s, 'accrued', 'matched', span.tenant_id, span.deployment_id, resource.kind,
           sum(extract(epoch FROM upper(span.during * day.hours) - lower(span.during * day.hours))
               * 24 / (672 * 3600)),
           count(DISTINCT span.resource_id), 0
    FROM (SELECT tstzrange('2026-04-15Z', '2026-04-16Z') AS hours) AS day
    JOIN resource_spans AS span ON span.during && day.hours
    JOIN cloud_resources AS resource ON resource.id = span.resource_id
    GROUP BY span.tenant_id, span.deployment_id, resource.kind
"""


@bench("costs_day")
def costs_day(scale: float) -> Iterator[Row]:
    """A fleet of droplets of thirty sizes and 5,000 tenants; one in ten was resized in the month."""
    resources = max(100, round(RESOURCES * scale))
    with scratch_database():
        _fill(resources)
        yield compare(
            "costs_day",
            f"{resources} resources",
            ours=Contender(lambda _: accrue_day(DAY), _empty),
            floor=Contender(lambda _: _insert_bare(), _empty),
            target=1.5,
            rounds=ROUNDS,
        )


def _insert_bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FLOOR, [DAY])


def _empty() -> None:
    DailyCost.objects.all().delete()


def _fill(resources: int) -> None:
    born = datetime(2026, 1, 1, tzinfo=UTC)
    ProviderPrice.objects.bulk_create(
        ProviderPrice(
            kind="droplet", sku=f"size-{number}", region=region, price=number, monthly_cap=number,
            source="a bench", read_on=DAY,
        )
        for number in range(30)
        for region in ("", "fra1", "syd1")
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cloud_resources (
                provider, kind, provider_id, urn, name, region, status, tags, attrs, attributed_by, tenant_id,
                provider_created_at, first_seen_at, last_seen_at, stale_strike_count
            )
            SELECT 'digitalocean', 'droplet', number::text, '', 'web-' || number,
                   (ARRAY['fra1', 'syd1'])[1 + number %% 2],
                   'active', '{}', '{}', 'tags', 'tenant-' || number %% 5000, %s, %s, %s, 0
            FROM generate_series(1, %s) AS number
            """,
            [born, born, born, resources],
        )
        cursor.execute(
            """
            INSERT INTO resource_spans (resource_id, during, tenant_id, active, sku)
            SELECT id, part.during, tenant_id, true, 'size-' || (id + part.number) % 30
            FROM cloud_resources
            CROSS JOIN LATERAL (
                SELECT 0, tstzrange('2026-01-01Z', CASE WHEN id % 10 = 0 THEN '2026-04-10Z'::timestamptz END)
                UNION ALL
                SELECT 1, tstzrange('2026-04-10Z', NULL) WHERE id % 10 = 0
            ) AS part(number, during)
            """
        )
        cursor.execute("VACUUM ANALYZE cloud_resources, resource_spans, provider_prices")
