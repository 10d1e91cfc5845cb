"""`events`: a history among ten million events: reading a resource's, and adding to it."""

from collections.abc import Iterator
from itertools import count
from typing import Final

from django.db import connection, transaction

from arcadia_cloud.kernel.tokens import OPERATOR_ROLE
from bench.api import Page, as_in_production, measured, next_of, token_of
from bench.fill import fill_events, fill_resources
from bench.harness import Contender, Row, bench, compare, tell
from bench.scratch import scratch_database
from inventory.models import Resource

EVENTS: Final = 10_000_000
PER_RESOURCE: Final = 200
BATCH: Final = 1_000
BATCHES: Final = 20
READ_TARGET: Final = 10.0  # the statements take a millisecond: a request's own cost is what shows

# The batch's resources lie far apart, and so do their places in the index.
_ADD: Final = """
    INSERT INTO {table} (resource_id, event_type, changes, at, actor, source)
    SELECT (SELECT min(id) FROM cloud_resources) + (n * 7919 + %s) %% %s, 'updated',
           '{{"status": ["active", "off"]}}', now(), 'bench', 'run:0'
    FROM generate_series(1, %s) AS n
"""


@bench("events")
def events(scale: float) -> Iterator[Row]:
    """Pages of 50 of a resource's history; batches of events as a sync writes them."""
    many = max(100_000, round(EVENTS * scale))
    with scratch_database(), as_in_production():
        tell(f"  filling in {many} events of {many // PER_RESOURCE} resources")
        fill_resources(many // PER_RESOURCE)
        fill_events(many, resources=many // PER_RESOURCE)
        for page in _histories(many):
            yield measured(page, name="events", target=READ_TARGET)
        yield _added(many)


def _histories(many: int) -> Iterator[Page]:
    resource = Resource.objects.live().order_by("pk")[many // PER_RESOURCE // 2]
    operator, tenant = token_of(OPERATOR_ROLE), token_of(tenant=resource.tenant_id)
    address = f"/api/v1/inventory/{resource.pk}/events"
    yield Page(f"newest of a resource's {PER_RESOURCE} among {many} events, operator", address, operator)
    yield Page("the same, page 3, its tenant", next_of(next_of(address, tenant), tenant), tenant)


def _added(many: int) -> Row:
    """Against a new table with the same columns, indexes and foreign key, and without the triggers.

    What makes the history append-only runs before UPDATE, DELETE and TRUNCATE alone. What is left is that the
    places in a long table's indexes lie apart.
    """
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TABLE floor_events (LIKE cloud_resource_events INCLUDING ALL);
            ALTER TABLE floor_events ADD FOREIGN KEY (resource_id) REFERENCES cloud_resources
                DEFERRABLE INITIALLY DEFERRED;
        """)
    numbers = count()
    return compare(
        "events",
        f"{BATCHES} batches of {BATCH} more to {many} events",
        ours=Contender(lambda: _add("cloud_resource_events", numbers, many // PER_RESOURCE)),
        floor=Contender(lambda: _add("floor_events", numbers, many // PER_RESOURCE)),
        target=2.0,
    )


def _add(table: str, numbers: Iterator[int], resources: int) -> None:
    for _ in range(BATCHES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ADD.format(table=table), [next(numbers), resources, BATCH])
