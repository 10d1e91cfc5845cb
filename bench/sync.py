"""`sync_first`, `sync_again`, `sync_1pct`: a fleet passed through the one way in, against the bare SQL.

The floor is the least that PostgreSQL must do: COPY into a temporary table, one INSERT … ON CONFLICT into a
table with the same columns, indexes and fill factor, and COPY of the event rows, in batches of the same
size. Its rows are the ones that ours come to, plain tuples made before the clock starts, but for the digest,
which is our own affair. It keeps no spans, no strikes and no order of arrival, and reads nothing back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Generic, TypeVar

import msgspec
from django.db import connection, transaction

from bench.harness import Contender, Row, bench, compare, tell
from bench.scratch import scratch_database
from inventory.kinds.droplet import DROPLET
from inventory.observation.observe import ObservationContext, Origin, observe
from inventory.values import PROVIDER, Kind, Observation

T = TypeVar("T")

RESOURCES: Final = 100_000
BATCH: Final = 1_000
ROUNDS: Final = 3
UNCHANGED_RUNS: Final = 10
_CREATED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS: Final = (
    "provider, kind, provider_id, urn, name, region, status, tags, attrs, monthly_price_cents, "
    "provider_created_at, project_id, deployment_id, tenant_id, attributed_by, attribution_note, "
    "parent_kind, parent_id, first_seen_at, last_seen_at, deleted_at, stale_strike_count"
)
_OWNER: Final = (None, None, "acme", "tags", "tenant acme has no deployment shop")
_EVENT_COLUMNS: Final = "resource_id, event_type, changes, at, actor, source"
_NEW_VALUES: Final = ", ".join(
    f"{column} = excluded.{column}" for column in _COLUMNS.split(", ") if column != "first_seen_at"
)
_UPSERT: Final = f"""
    INSERT INTO floor_resources ({_COLUMNS}) SELECT {_COLUMNS} FROM staged
    ON CONFLICT (provider, kind, provider_id) DO UPDATE SET {_NEW_VALUES}
"""


@dataclass(slots=True)
class Fleet(Generic[T]):
    """The same resources in two states, in batches; `flip()` gives the other one, in which 1 % differs."""

    plain: list[list[T]]
    changed: list[list[T]]
    _turn: bool = False

    def flip(self) -> list[list[T]]:
        self._turn = not self._turn
        return self.changed if self._turn else self.plain


@bench("sync_first")
def sync_first(scale: float) -> Iterator[Row]:
    """A fleet never seen before: rows, `discovered` events and spans."""
    size = _size(scale)
    fleet = _fleet(size)
    tuples = _tuples(fleet.plain)
    with scratch_database():
        _make_floor()
        yield compare(
            "sync_first",
            f"{size} new resources",
            ours=Contender(lambda _: _ours(fleet.plain), _empty),
            floor=Contender(lambda _: _floor(tuples, events_per_batch=BATCH), _empty),
            target=2.0,
            rounds=ROUNDS,
        )


@bench("sync_again")
def sync_again(scale: float) -> Iterator[Row]:
    """The same fleet again: every row's last_seen_at is bumped, no event is written."""
    size = _size(scale)
    fleet = _fleet(size)
    tuples = _tuples(fleet.plain)
    with scratch_database():
        _make_floor()
        _ours(fleet.plain)
        _floor(tuples, events_per_batch=BATCH)
        _vacuum()
        yield compare(
            "sync_again",
            f"{size} unchanged resources",
            ours=Contender(lambda: _ours(fleet.plain)),
            floor=Contender(lambda: _floor(tuples, events_per_batch=0)),
            target=1.2,
            rounds=ROUNDS,
        )
    yield _growth(fleet, size)


@bench("sync_1pct")
def sync_1pct(scale: float) -> Iterator[Row]:
    """The same fleet again with 1 % of it changed: updates, `updated` events and new spans for those."""
    size = _size(scale)
    ours = _fleet(size)
    tuples = Fleet(_tuples(ours.plain), _tuples(ours.changed))
    with scratch_database():
        _make_floor()
        _ours(ours.plain)
        _floor(tuples.plain, events_per_batch=BATCH)
        _vacuum()
        yield compare(
            "sync_1pct",
            f"{size} resources, 1 % changed",
            ours=Contender(_ours, ours.flip),
            floor=Contender(lambda batches: _floor(batches, events_per_batch=BATCH // 100), tuples.flip),
            target=1.2,
            rounds=ROUNDS,
        )


def _growth(fleet: Fleet[Observation], size: int) -> Row:
    """The table's size after ten unchanged runs against its size after the first. Not seconds but MB."""
    with scratch_database():
        _ours(fleet.plain)
        first = _table_mb()
        for run in range(UNCHANGED_RUNS):
            _ours(fleet.plain)
            tell(f"  unchanged run {run + 1}: {_table_mb():.1f} MB, {_heap_only():.1%} heap-only")
        last = _table_mb()
    return Row(
        bench="sync_again",
        work=f"table of {size} after {UNCHANGED_RUNS} unchanged runs, MB for s",
        ours_s=last,
        floor_s=first,
        ratio=round(last / first, 3),
        higher=False,
        target=1.2,
        met=last <= first * 1.2,
        queries=0,
        peak_mb=0.0,
    )


def _ours(batches: Sequence[list[Observation]]) -> None:
    origin = Origin(actor="bench", source="run:1")
    for batch in batches:
        context = ObservationContext(at=datetime.now(UTC), volatile=DROPLET.volatile)
        observe(kind=Kind.DROPLET, observations=batch, context=context, origin=origin)


def _floor(batches: Sequence[list[tuple[Any, ...]]], *, events_per_batch: int) -> None:
    raw = connection.connection
    numbers = count(1)
    for batch in batches:
        at = datetime.now(UTC)
        with transaction.atomic(), raw.cursor() as cursor:
            with cursor.copy(f"COPY staged ({_COLUMNS}) FROM STDIN") as copy:
                for before_times in batch:
                    copy.write_row((*before_times, at, at, None, 0))
            cursor.execute(_UPSERT)
            with cursor.copy(f"COPY floor_events ({_EVENT_COLUMNS}) FROM STDIN") as copy:
                for _ in range(min(events_per_batch, len(batch))):
                    event = (next(numbers), "updated", '{"status": ["active", "off"]}', at, "bench", "run:1")
                    copy.write_row(event)


def _make_floor() -> None:
    """Tables like ours but for the foreign keys and triggers, which LIKE doesn't copy."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE relname = 'cloud_resources'"
        )
        options = cursor.fetchone()[0]  # the fill factor, and when vacuum comes
        cursor.execute(f"""
            CREATE TABLE floor_resources (LIKE cloud_resources INCLUDING ALL) WITH ({options});
            CREATE TABLE floor_events (LIKE cloud_resource_events INCLUDING ALL);
            CREATE TEMPORARY TABLE staged (LIKE cloud_resources) ON COMMIT DELETE ROWS;
            ALTER TABLE staged ALTER COLUMN id DROP NOT NULL;
        """)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE cloud_resources CASCADE")  # events, spans, and what other apps keep of them
        cursor.execute("TRUNCATE floor_resources, floor_events")


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE cloud_resources")
        cursor.execute("VACUUM ANALYZE floor_resources")


def _table_mb() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('cloud_resources') / 1048576.0")
        return round(float(cursor.fetchone()[0]), 1)


def _heap_only() -> float:
    """The share of updates so far that touched no index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'cloud_resources'"
        )
        heap_only, updates = cursor.fetchone()
    return heap_only / updates if updates else 1.0


def _size(scale: float) -> int:
    return max(BATCH, round(RESOURCES * scale))


def _batches(items: list[Observation]) -> list[list[Observation]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


def _tuples(batches: Sequence[list[Observation]]) -> list[list[tuple[Any, ...]]]:
    return [[_as_tuple(seen) for seen in batch] for batch in batches]


def _as_tuple(seen: Observation) -> tuple[Any, ...]:
    attrs = msgspec.json.encode(seen.attrs).decode()
    identity = (PROVIDER, str(Kind.DROPLET), seen.provider_id, seen.urn, seen.name, seen.region, seen.status)
    return (*identity, seen.tags, attrs, seen.monthly_price_cents, seen.created_at, *_OWNER, "", "")


def _fleet(size: int) -> Fleet[Observation]:
    plain = [_droplet(index, "active") for index in range(size)]
    changed = [_droplet(index, "off") if index % 100 == 0 else plain[index] for index in range(size)]
    return Fleet(_batches(plain), _batches(changed))


def _droplet(index: int, status: str) -> Observation:
    number = 300_000_000 + index
    return Observation(
        provider_id=str(number),
        urn=f"do:droplet:{number}",
        name=f"web-{index:06d}.example.com",
        region="syd1",
        status=status,
        tags=["deployment:shop", "tenant:acme", "web"],
        attrs={
            "size_slug": "s-1vcpu-1gb",
            "memory_mb": 1024,
            "vcpus": 1,
            "disk_gb": 25,
            "image": {"id": 129211873, "slug": "ubuntu-24-04-x64", "name": "24.04 (LTS) x64"},
            "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
            "features": ["backups", "ipv6"],
            "volume_ids": [],
            "snapshot_ids": [53893572],
            "backup_ids": [],
            "ipv4_public": [f"203.0.113.{index % 250}"],
            "ipv4_private": [f"10.128.192.{index % 250}"],
            "ipv6_public": [f"2604:a880:2:d1::aa:{index:x}"],
            "gpu": None,
            "locked": False,
            "next_backup_window": None,
        },
        monthly_price_cents=600,
        can_attribute=True,
        created_at=_CREATED_AT,
        active=status == "active",
    )
