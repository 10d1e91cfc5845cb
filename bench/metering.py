"""`meter_day`: a day of a fleet. `usage`: a deployment's month among the rows of years."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from arcadia_cloud.kernel.periods import Period, month_of
from bench.fill import DEPLOYMENTS, fill_resources
from bench.harness import Contender, Row, bench, compare, interleave, row, tell
from bench.scratch import scratch_database
from deployments.models import Deployment
from metering.models import UsageRecord
from metering.queries import fleet_usage_for_period, usage_for_period
from metering.services import meter_day

RESOURCES: Final = 100_000
RECORDS: Final = 10_000_000
TARGET: Final = 1.5
READS: Final = 200  # of different deployments: one alone takes less than a millisecond

AT: Final = datetime(2026, 8, 1, 12, tzinfo=UTC)
DAY: Final = datetime(2026, 7, 15, tzinfo=UTC)
JULY: Final = month_of(DAY)

# Every resource's life, without a change; sizes for those that are metered by size.
_SPANS: Final = """
    INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb)
    SELECT id, tstzrange('2026-01-01 00:00+00',
                         CASE WHEN deleted_at IS NOT NULL THEN timestamptz '2026-07-15 18:00+00' END),
           deployment_id, tenant_id, status = 'active',
           CASE WHEN kind IN ('snapshot', 'volume') THEN 5 + id % 997 / 7.0 END
    FROM cloud_resources
    ORDER BY random()
"""
# The same rows for lives without a change, by a plain statement: nothing is compared, nothing telescopes.
_BARE_DAY: Final = """
    INSERT INTO floor_usage (deployment_id, resource_id, resource_kind, period_start, period_end,
                             granularity, qty, sub_account)
    SELECT span.deployment_id, span.resource_id, kinds.billing_kind, %(since)s, %(until)s, 'daily',
           round(CASE kinds.accrual
                     WHEN 'hours' THEN span.active::integer * part.seconds / 3600
                     WHEN 'size' THEN span.size_gb * part.seconds / (31 * 86400)
                     ELSE part.seconds / (31 * 86400)
                 END, 6),
           ''
    FROM resource_spans AS span
    JOIN cloud_resources AS resource ON resource.id = span.resource_id
    JOIN (VALUES ('droplet', 'droplet_hours', 'hours'), ('snapshot', 'snapshot_gb_month', 'size'),
                 ('volume', 'volume_gb_month', 'size'), ('dns_zone', 'dns_zones', 'count'))
         AS kinds(kind, billing_kind, accrual) ON kinds.kind = resource.kind
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM least(upper(span.during), %(until)s)
                                  - greatest(lower(span.during), %(since)s)) AS seconds
    ) AS part
    WHERE span.during && tstzrange(%(since)s, %(until)s) AND span.deployment_id IS NOT NULL
"""
_BARE_SUM: Final = """
    SELECT resource_kind, sum(qty) FROM usage_records
    WHERE deployment_id = %s AND period_start >= %s AND period_start < %s
    GROUP BY resource_kind
"""
_MONTHS: Final = """
    INSERT INTO usage_records (deployment_id, resource_id, resource_kind, period_start, period_end,
                               granularity, qty)
    SELECT resource.deployment_id, resource.id, 'droplet_hours', day, day + interval '24 hours',
           'daily', n %% 25
    FROM generate_series(0, %s - 1) AS n
    CROSS JOIN LATERAL (
        SELECT timestamptz '2026-07-31 00:00+00' - n / %s * interval '24 hours' AS day
    ) AS of_day
    JOIN cloud_resources AS resource ON resource.id = (SELECT min(id) FROM cloud_resources) + n %% %s
    WHERE resource.deployment_id IS NOT NULL
"""


@bench("meter_day")
def day_of_a_fleet(scale: float) -> Iterator[Row]:
    """A first run of a day, which inserts all of its rows; then a second one, which finds them right."""
    many = max(1_000, round(RESOURCES * scale))
    with scratch_database():
        tell(f"  filling in {many} resources and their spans")
        fill_resources(many)
        with connection.cursor() as cursor:
            cursor.execute(_SPANS)
            cursor.execute("VACUUM ANALYZE resource_spans")
            # Its own table with the same columns, key, index, rules and foreign keys.
            cursor.execute("""
                CREATE TABLE floor_usage (LIKE usage_records INCLUDING ALL);
                ALTER TABLE floor_usage
                    ADD FOREIGN KEY (deployment_id) REFERENCES cloud_deployments
                        DEFERRABLE INITIALLY DEFERRED,
                    ADD FOREIGN KEY (resource_id) REFERENCES cloud_resources
                        DEFERRABLE INITIALLY DEFERRED;
            """)
        yield compare(
            "meter_day",
            f"a day of {many} resources",
            ours=Contender(_meter, prepare=lambda: _empty("usage_records")),
            floor=Contender(_insert_bare, prepare=lambda: _empty("floor_usage")),
            target=TARGET,
        )
        found = interleave(
            {
                "ours": Contender(_meter),
                "floor": Contender(_insert_bare, prepare=lambda: _empty("floor_usage")),
            }
        )
        assert UsageRecord.objects.count() == _count("floor_usage"), "the floor inserts the same rows"
        yield row(
            "meter_day", "the same day again: nothing to change", found["ours"], found["floor"], target=TARGET
        )


def _meter(_prepared: object = None) -> None:
    meter_day(DAY.date(), at=AT)


def _insert_bare(_prepared: object = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BARE_DAY, {"since": DAY, "until": DAY + timedelta(days=1)})


def _empty(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@bench("usage")
def months_among_years(scale: float) -> Iterator[Row]:
    """A deployment's month, at a tenth of the rows and at all of them; and the whole fleet's."""
    many = max(200_000, round(RECORDS * scale))
    resources = max(2_000, many // 100)  # a hundred days of each
    with scratch_database():
        fill_resources(resources)
        for rows in (many // 10, many):
            _fill_usage(rows, resources)
            deployments = _some_deployments()
            yield compare(
                "usage",
                f"the month of {len(deployments)} deployments, one by one, among {rows} rows",
                ours=Contender(lambda some=deployments: _sum_each(some)),
                floor=Contender(lambda some=deployments: _sum_each_bare(some)),
                target=TARGET,
            )
        yield compare(
            "usage",
            f"the month of the fleet among {many} rows",
            ours=Contender(lambda: fleet_usage_for_period(JULY)),
            floor=Contender(_sum_fleet_bare),
            target=TARGET,
        )


def _fill_usage(rows: int, resources: int) -> None:
    tell(f"  filling in {rows} rows of usage")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE usage_records")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_MONTHS, [rows, resources, resources])
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE usage_records")


def _some_deployments() -> list[int]:
    pks = list(Deployment.objects.order_by("pk").values_list("pk", flat=True))
    return pks[:: max(1, min(DEPLOYMENTS, len(pks)) // READS)][:READS]


def _sum_each(deployments: list[int]) -> None:
    for pk in deployments:
        usage_for_period(pk, JULY)


def _sum_each_bare(deployments: list[int]) -> None:
    with connection.cursor() as cursor:
        for pk in deployments:
            cursor.execute(_BARE_SUM, [pk, *_bounds(JULY)])
            dict(cursor.fetchall())


def _sum_fleet_bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT deployment_id, resource_kind, sum(qty) FROM usage_records"
            " WHERE period_start >= %s AND period_start < %s GROUP BY deployment_id, resource_kind",
            [*_bounds(JULY)],
        )
        cursor.fetchall()


def _bounds(period: Period) -> tuple[datetime, datetime]:
    return period.starts_at, period.ends_at
