"""The sweep: every desired state is compared with its resource, and what differs has an open row.

In batches of desired states, each in a fixed number of statements and one transaction. A statement lists the
fields whose JSON isn't the same to the letter, few of them in a fleet as it should be; `comparison` decides
which of these differ. Their desired states are then locked, and a pair of values that is no longer there is
left to the next sweep: so a sweep never contradicts an operator, a sync or a saga that was quicker.

What a live saga works on is left out, its open rows too: the saga writes the live value and the desired one
at different moments, and both are there when it ends. One that was rolled back may have changed the resource
after it was last observed; the next observation decides.

Locks are taken in one order: desired states by resource, then rows of cloud_drift by resource and field.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import structlog
from django.db import transaction

from arcadia_cloud.kernel.sql import fetch_all, load
from drift.comparison import are_equal, cause_of
from drift.values import EXISTS, DriftCounts
from inventory.services import DriftEvent, record_drift_detected

log = structlog.get_logger(__name__)
SWEEP_ACTOR: Final = "drift sweep"
OPENED: Final = "opened"
_BATCH_SIZE: Final = 10_000  # a fleet of which everything differs still fits into memory
_END: Final = 2**63 - 1  # beyond the last resource
_READ_BATCH: Final = load(__package__, "read_batch.sql")
_LIST_CANDIDATES: Final = load(__package__, "list_candidates.sql")
_LOCK_DESIRED: Final = load(__package__, "lock_desired.sql")
_LOCK_PRESENT: Final = load(__package__, "lock_present.sql")
_RECORD_DIFFERENCES: Final = load(__package__, "record_differences.sql")


@dataclass(frozen=True, slots=True)
class _Batch:
    checked: int
    skipped: int
    last: int | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A field that may differ. The values are JSON's text, as the database has it: so no digit is lost."""

    resource_id: int
    kind: str
    field: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class _Place:
    resource_id: int
    field: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was written; the values are JSON's text, of what was opened."""

    change: str
    drift_id: int
    resource_id: int
    field: str
    expected: str | None
    actual: str | None


def sweep_all(*, at: datetime, assert_held: Callable[[], None] | None = None) -> DriftCounts:
    """Compare every desired state. Repeating it opens nothing.

    `assert_held` is called in the transaction of each batch: a sweep whose lease is another's writes no more.
    """
    counts: Counter[str] = Counter()
    after = 0
    while after < _END:
        (batch,) = fetch_all(_READ_BATCH, {"after": after, "size": _BATCH_SIZE}, into=_Batch)
        # With the last batch go the rows of resources that have no desired state any more.
        until = _END if batch.last is None or batch.checked < _BATCH_SIZE else batch.last
        counts += _sweep_range(after, until, at=at, assert_held=assert_held)
        counts.update(checked=batch.checked, skipped=batch.skipped)
        after = until
    found = DriftCounts(**counts)
    log.info("drift_compared", **counts)
    return found


def sweep_resource(*, resource_pk: int, at: datetime) -> DriftCounts:
    """Compare the desired state of one resource."""
    return DriftCounts(checked=1, **_sweep_range(resource_pk - 1, resource_pk, at=at))


def _sweep_range(
    after: int, until: int, *, at: datetime, assert_held: Callable[[], None] | None = None
) -> Counter[str]:
    """Compare the desired states of a range of resources; return the counts of what changed."""
    bounds = {"after": after, "until": until}
    # Outside the transaction: it takes longest, and what it finds is looked up again under the locks.
    differences = list(_list_differences(bounds))
    with transaction.atomic():
        if assert_held is not None:
            assert_held()
        locked = {
            (place.resource_id, place.field)
            for place in fetch_all(_LOCK_DESIRED, {"differences": _as_json(differences)}, into=_Place)
        }
        kept = [each for each in differences if (each["resource_id"], each["field"]) in locked]
        doubted = [each for each in differences if (each["resource_id"], each["field"]) not in locked]
        # Before any row is written: an upsert and an update would lock them in orders of their own.
        fetch_all(_LOCK_PRESENT, bounds, into=int)
        parameters = {
            **bounds,
            "at": at,
            "actor": SWEEP_ACTOR,
            "differences": _as_json(kept),
            "in_doubt": _as_json(doubted),
        }
        changes = fetch_all(_RECORD_DIFFERENCES, parameters, into=Change)
        # In the same transaction: a row and its event are there together, or neither is.
        record_events(changes, at=at)
    counts = Counter(each.change for each in changes)
    counts["differing"] = len(locked)
    return counts


def record_events(changes: Iterable[Change], *, at: datetime) -> None:
    """Write the event of each row that was opened."""
    opened = [
        DriftEvent(
            resource_id=each.resource_id,
            field=each.field,
            expected=_raw(each.expected),
            actual=_raw(each.actual),
            source=f"drift:{each.drift_id}",
        )
        for each in changes
        if each.change == OPENED
    ]
    record_drift_detected(opened, at=at, actor=SWEEP_ACTOR)


def _list_differences(bounds: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the fields of a range that differ, as the statements take them."""
    for each in fetch_all(_LIST_CANDIDATES, bounds, into=_Candidate):
        # Decimals: a float would lose digits that the database compares, and one value could be another.
        expected, actual = (json.loads(text, parse_float=Decimal) for text in (each.expected, each.actual))
        if each.field == EXISTS or not are_equal(each.kind, each.field, expected, actual):
            yield {
                "resource_id": each.resource_id,
                "kind": each.kind,
                "field": each.field,
                "expected": _raw(each.expected),
                "actual": _raw(each.actual),
                "cause": cause_of(each.kind, each.field, expected, actual),
            }


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw((text or "null").encode())


def _as_json(values: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(values).decode()
