"""The resolution of one open row by an operator: its value is accepted, put back or ignored.

The desired state is locked first, then the row, as the sweep does: of two operators, or an operator and a
sweep, the second sees what the first has done, and is refused.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.sql import fetch_one, load
from arcadia_cloud.kernel.states import advance
from drift.comparison import are_equal
from drift.detection import sweep_resource
from drift.errors import AlreadyResolved, ResourceBusy, RevertUnderWay, ValueMoved
from drift.models import Drift
from drift.states import DRIFT_LIFECYCLE, DriftStatus
from drift.values import EXISTS
from provisioning.models import Provisioned
from provisioning.queries import require_revertable
from provisioning.services import drop_provisioned, set_desired_field, start_saga
from provisioning.states import LIVE, SagaStatus

REVERT_KIND: Final = "revert_drift"
_READ_LIVE: Final = load(__package__, "read_live.sql")


@dataclass(frozen=True, slots=True)
class _Live:
    value: str | None
    saga_id: int | None


@dataclass(frozen=True, slots=True)
class LockedDrift:
    """A row that is open, locked, with its resource's desired state; `live` is the value as JSON's text."""

    drift: Drift
    live: str


def accept_drift(
    *, drift_pk: int, actor: str, at: datetime, cause: str | None = None, note: str = ""
) -> Drift:
    """Make the live value the desired one, in one transaction; of `exists`, drop the desired state.

    Other fields of the desired state stay. `cause` is what the operator has seen. Raises NotFound,
    AlreadyResolved, RevertUnderWay, ResourceBusy, and ValueMoved where the live or the desired value is
    another than in the row by now: the row then shows it.
    """
    with locked_drift(drift_pk, cause, at) as locked:
        drift = locked.drift
        if drift.field == EXISTS:
            drop_provisioned(resource_pk=drift.resource_id)
        else:
            # The database's own text: read into Python and written again, a number could lose digits.
            set_desired_field(resource_pk=drift.resource_id, field=drift.field, value=locked.live)
        advance(
            drift,
            DriftStatus.ACCEPTED,
            DRIFT_LIFECYCLE,
            resolved_at=at,
            resolved_by=actor,
            note=note,
        )
    return drift


def revert_drift(
    *, drift_pk: int, actor: str, at: datetime, cause: str | None = None, note: str = ""
) -> Drift:
    """Start the saga that puts the field back to its desired value; the row gets `revert_saga`.

    It stays open until the saga is completed and a sweep finds the field as desired. Raises as
    `accept_drift` does, NotRevertable with the reason, and what `start_saga` raises.
    """
    with locked_drift(drift_pk, cause, at) as locked:
        drift = locked.drift
        require_revertable(drift.kind, drift.field, drift.expected)
        # In this transaction: no row shows a saga that wasn't started, and no saga runs unseen.
        drift.revert_saga = start_saga(
            kind=REVERT_KIND,
            inputs={"resource_id": drift.resource_id, "fields": [drift.field]},
            actor=actor,
        )
        drift.note = note
        drift.save(update_fields=["revert_saga", "note"])
    return drift


@contextmanager
def locked_drift(drift_pk: int, cause: str | None, at: datetime) -> Iterator[LockedDrift]:
    """Lock a row that may be resolved, in a transaction around the block.

    Where its values have moved, the refusal's transaction is over before the row is compared anew.
    """
    try:
        with transaction.atomic():
            yield _lock_open(drift_pk, cause)
    except ValueMoved:
        resource_pk = Drift.objects.values_list("resource", flat=True).get(pk=drift_pk)
        # In a caller's transaction the caller's refusal would take this back, too; the next sweep does it.
        sweep_resource(resource_pk=resource_pk, at=at)
        raise


def _lock_open(drift_pk: int, cause: str | None) -> LockedDrift:
    """Lock the row and its resource's desired state; raise where the row can't be resolved now."""
    drift = Drift.objects.filter(pk=drift_pk).first()
    if drift is None:
        raise NotFound(f"there is no drift {drift_pk}")
    # In the sweep's order: the other way round, the two could wait for each other.
    desired = Provisioned.objects.select_for_update(of=("self",)).filter(resource=drift.resource_id).first()
    # Read again: another may have resolved it while this one waited.
    drift = Drift.objects.select_for_update(of=("self",)).get(pk=drift_pk)
    _refuse_unless_open(drift)
    if cause is not None and cause != drift.cause:
        raise ValueMoved(f"{drift} has other values by now: look at it again")
    parameters = {"resource_id": drift.resource_id, "field": drift.field}
    live = fetch_one(_READ_LIVE, parameters, into=_Live) or _Live(None, None)
    if live.saga_id is not None:
        raise ResourceBusy(f"saga {live.saga_id} works on the resource: wait for its end")
    if desired is None:
        raise ValueMoved(f"nothing is desired of the resource of {drift} any more")
    expected = True if drift.field == EXISTS else desired.spec.get(drift.field)
    if live.value is None or not _is_same(drift, drift.actual, json.loads(live.value, parse_float=Decimal)):
        seen = json.dumps(drift.actual)
        raise ValueMoved(f"the live {drift.field} is {live.value} by now, no longer {seen}")
    if not _is_same(drift, drift.expected, expected):
        raise ValueMoved(f"the desired {drift.field} is {json.dumps(expected)} by now")
    return LockedDrift(drift, live.value)


def _is_same(drift: Drift, one: Any, other: Any) -> bool:
    return are_equal(drift.kind, drift.field, one, other)


def _refuse_unless_open(drift: Drift) -> None:
    """Raise unless an operator may act on the row: it is open, and no saga is putting it back."""
    if drift.status == DriftStatus.IGNORED:
        raise AlreadyResolved(
            f"{drift} is ignored by rule {drift.ignore_rule_id}: end the rule first, then it is open again"
        )
    if drift.status != DriftStatus.OPEN:
        raise AlreadyResolved(f"{drift} was {drift.status} by {drift.resolved_by} at {drift.resolved_at}")
    saga = drift.revert_saga
    if saga is None:
        return
    # What it put back is seen by the first sweep after its end.
    awaits_sweep = (
        saga.status == SagaStatus.COMPLETED
        and saga.finished_at is not None
        and drift.last_seen_at <= saga.finished_at
    )
    # A dead letter's work is half done: it is settled before the row is.
    if awaits_sweep or saga.status in [*LIVE, SagaStatus.FAILED]:
        raise RevertUnderWay(f"saga {saga.pk}, which is {saga.status}, puts back {drift}")
