"""`drift`: a sweep of desired states, 1 % of them drifted, against one pass in SQL.

The floor joins each field of every desired state to its row, compares scalars and inserts what differs, in
one statement: it knows no rule of ours and no row from before. In the first row both insert into an empty
table.
"""

from collections.abc import Iterator
from typing import Final

from django.db import connection
from django.utils import timezone

from bench.fill import fill_resources
from bench.harness import Contender, Row, bench, compare, tell
from bench.scratch import scratch_database
from drift.services import detect_all

RESOURCES: Final = 100_000
TARGET: Final = 1.5
_DESIRED: Final = """
    INSERT INTO cloud_provisioned (resource_id, spec, spec_version, created_at, updated_at)
    SELECT id,
           jsonb_build_object(
               'name', name, 'region', region, 'status', status, 'tags', to_jsonb(tags),
               'size_slug', CASE WHEN id % 100 = 0 THEN 's-4vcpu-8gb' ELSE attrs ->> 'size_slug' END
           ),
           1, now(), now()
    FROM cloud_resources WHERE deleted_at IS NULL;
    ANALYZE cloud_provisioned;
    CREATE TABLE floor_drift (LIKE cloud_drift INCLUDING ALL)
"""
_FLOOR: Final = """
    INSERT INTO floor_drift (
        resource_id, kind, field, expected, actual, cause, status, detected_at, last_seen_at
    )
    SELECT resource.id, resource.kind, desired.field, desired.expected, live.actual, '', 'open', now(), now()
    FROM cloud_provisioned AS provisioned
    JOIN cloud_resources AS resource ON resource.id = provisioned.resource_id
    CROSS JOIN LATERAL jsonb_each(provisioned.spec) AS desired (field, expected)
    CROSS JOIN LATERAL (
        SELECT CASE desired.field
                   WHEN 'name' THEN to_jsonb(resource.name)
                   WHEN 'region' THEN to_jsonb(resource.region)
                   WHEN 'status' THEN to_jsonb(resource.status)
                   WHEN 'tags' THEN to_jsonb(resource.tags)
                   ELSE resource.attrs -> desired.field
               END AS actual
    ) AS live
    WHERE resource.deleted_at IS NULL AND live.actual <> desired.expected
"""
_EMPTY_FLOOR: Final = "TRUNCATE floor_drift"
_EMPTY: Final = "TRUNCATE cloud_drift"


@bench("drift")
def drift(scale: float) -> Iterator[Row]:
    """The first sweep, which opens a row for each difference, and the same again."""
    count = max(2_000, round(RESOURCES * scale))
    with scratch_database():
        tell(f"  filling in {count} resources with a desired state")
        fill_resources(count)
        _execute(_DESIRED)
        yield compare(
            "drift",
            f"{count} desired states, 1 % drifted",
            ours=Contender(lambda _: _sweep(), prepare=lambda: _execute(_EMPTY)),
            floor=Contender(lambda _: _execute(_FLOOR), prepare=lambda: _execute(_EMPTY_FLOOR)),
            target=TARGET,
        )
        yield compare(
            "drift",
            "the same again: every row is there",
            ours=Contender(_sweep),
            floor=Contender(lambda _: _execute(_FLOOR), prepare=lambda: _execute(_EMPTY_FLOOR)),
            target=TARGET,
        )


def _sweep() -> None:
    counts = detect_all(at=timezone.now())
    if not counts.checked * 0.005 < counts.differing < counts.checked * 0.02:
        raise AssertionError(f"1 % of the desired states differ, and the sweep found {counts}")


def _execute(statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements.split(";"):
            cursor.execute(statement)
