"""Statements look rows up by their keys, whatever statistics the database has of the tables.

A first sync is over before statistics are made, or knows those of empty tables; no plan may read all of a
table for a batch, still less for each of its rows.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.leases import HeldLease
from arcadia_cloud.kernel.models import Lease
from inventory.attribution.assign import assign, clear_assignment, reattribute
from inventory.kinds.volume import VOLUME
from inventory.models import Resource, SyncRun
from inventory.observation.observe import Origin
from inventory.sync import tombstones
from inventory.values import Kind, Observation
from tests.inventory.observations import a_project, minute, observed, seen

pytestmark = pytest.mark.django_db

SIZE, MANY = 500, 40
FEW = [str(number) for number in range(SIZE)]
NEW = [f"new-{number}" for number in range(SIZE)]
UNDECIDED = [f"undecided-{number}" for number in range(SIZE)]
_TABLES = ("cloud_resources", "resource_spans", "cloud_resource_events")


@pytest.fixture(params=[None, 0, MANY, "deleted"], ids=lambda rows: f"statistics of {rows} rows")
def statistics(request: pytest.FixtureRequest) -> Iterator[None]:
    """Many volumes, and some that no run has decided; statistics are of an earlier day, or there are none."""
    if request.param == "deleted":
        make_statistics_of_deleted_rows()
    for number_of_batches in range(MANY + 1):
        if number_of_batches == request.param:
            make_statistics()
        if number_of_batches < MANY:
            first = SIZE * number_of_batches
            volumes = (a_volume(str(first + number)) for number in range(SIZE))
            look(*volumes, minutes=9 if first else 0)
    look(*(a_volume(each, can_attribute=False) for each in UNDECIDED))
    yield
    make_statistics()  # the checks of foreign keys at the end are PostgreSQL's own statements


def make_statistics() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_TABLES)}")


def make_statistics_of_deleted_rows() -> None:
    """Leave the columns' statistics of rows that are gone since, beside a table that is known as empty."""
    look(a_volume("of an earlier day"))
    make_statistics()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # history is append-only otherwise
        for table in _TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - the test's own names
        cursor.execute("SET LOCAL session_replication_role = origin")
    make_statistics()


def a_volume(provider_id: str, **fields: Any) -> Observation:
    return seen(provider_id, **{"can_attribute": True, "size_gb": Decimal(1), "tags": [], **fields})


def look(*volumes: Observation, minutes: float = 0) -> None:
    observed(*volumes, at=minute(minutes), kind=Kind.VOLUME)


def rows_read() -> int:
    """Rows of ours that this transaction has read, by whichever way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) "
            "FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)",
            [list(_TABLES)],
        )
        return int(cursor.fetchone()[0])


def pages_read() -> int:
    """Pages of our tables' indexes that this transaction has read: a whole index may be read for one row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_stat_get_xact_blocks_fetched(indexrelid)) FROM pg_stat_user_indexes "
            "WHERE relname = ANY(%s)",
            [list(_TABLES)],
        )
        return int(cursor.fetchone()[0])


def read_by(work: Callable[[], object]) -> int:
    before = rows_read()
    work()
    return rows_read() - before


def a_batch_reads_its_own_rows_alone() -> None:
    acme = a_project("Acme", "acme")
    off: dict[str, Any] = {"status": "off", "active": False}
    batches = {
        "known": [a_volume(each) for each in FEW],
        "new": [a_volume(each, parent_kind="volume", parent_id="1") for each in NEW],
        "switched off": [a_volume(each, **off) for each in FEW],
        "grown": [a_volume(each, **off, size_gb=Decimal(2)) for each in FEW],
        "half decided": [a_volume(each, name="x", can_attribute=each < "3") for each in FEW],
        "decided at last": [a_volume(each, project_id=acme.pk) for each in UNDECIDED],
    }
    for minutes, (name, batch) in enumerate(batches.items(), start=1):
        pages = pages_read()
        read = read_by(lambda: look(*batch, minutes=minutes))  # noqa: B023 - called at once
        assert read < 20 * SIZE, name
        assert pages_read() - pages < 100 * SIZE, name


def an_assignment_reads_all_rows_twice_at_most() -> None:
    pks = list(Resource.objects.filter(provider_id__in=FEW).values_list("pk", flat=True))
    by: dict[str, Any] = {"resource_pks": pks, "actor": "a test", "source": "a test"}
    decisions: dict[str, Callable[[], int]] = {
        "assigned": lambda: assign(tenant_id="acme", deployment_pk=None, **by),
        "cleared": lambda: clear_assignment(**by),
        "decided anew": lambda: reattribute(**by),
    }
    for name, decide in decisions.items():
        read = read_by(decide)
        # Whose they are and what follows them: never a pass for each.
        assert read < 2.5 * SIZE * MANY, name


def lease_in_hand() -> HeldLease:
    """Take a lease that isn't renewed, since that would take a connection of its own."""
    held, now = HeldLease("sync:volume", seconds=60), DatabaseClock().now()
    Lease.objects.create(
        name=held.name,
        token=held.token,
        holder="a test",
        acquired_at=now,
        heartbeat_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return held


def a_strike_reads_its_kind_once_and_a_tombstone_its_own_rows_alone() -> None:
    gone = Resource.objects.filter(provider_id__in=FEW)
    run = SyncRun.objects.create(kind="volume", mode="full", requested_by="a test", started_at=minute(5))
    held = lease_in_hand()
    struck = read_by(lambda: tombstones.strike_absent(VOLUME, run, run.started_at, held))
    assert Resource.objects.filter(stale_strike_count=1).count() == 2 * SIZE  # the undecided, too
    assert struck < 1.2 * SIZE * MANY

    gone.update(stale_strike_count=3)
    pks = list(gone.values_list("pk", flat=True))
    origin = Origin("a test", f"run:{run.pk}")
    assert read_by(lambda: tombstones.tombstone(pks, run=run, at=minute(10), origin=origin)) < 20 * SIZE
    back = [a_volume(each) for each in FEW]
    assert read_by(lambda: look(*back, minutes=20)) < 20 * SIZE


def test_no_plan_reads_more_than_it_must(statistics: None, subtests: pytest.Subtests) -> None:
    for claim in (
        a_batch_reads_its_own_rows_alone,
        an_assignment_reads_all_rows_twice_at_most,
        a_strike_reads_its_kind_once_and_a_tombstone_its_own_rows_alone,
    ):
        # The rows are made once for all: that takes longer than what is claimed of them.
        with subtests.test(claim.__name__), transaction.atomic():
            claim()
            transaction.set_rollback(True)
