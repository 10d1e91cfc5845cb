"""Reverts of many rows: one saga for each resource, which puts all of its fields back."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from arcadia_cloud.kernel.errors import DomainError, NotFound
from drift.models import Drift
from drift.resolution import REVERT_KIND, locked_drift
from drift.values import ActionResult
from provisioning.queries import require_revertable
from provisioning.services import start_saga


def revert_many(
    *,
    drift_pks: Sequence[int],
    actor: str,
    at: datetime,
    note: str = "",
    causes: Mapping[int, str] | None = None,
) -> list[ActionResult]:
    """Start a saga for each resource; return an outcome per id, in their order, one where it is named twice.

    A row that is refused holds up none of the others. A saga that is refused is the outcome of all its rows.
    """
    # An id that is named twice has one outcome, and one saga.
    wanted = list(dict.fromkeys(drift_pks))
    resources = dict(Drift.objects.filter(pk__in=wanted).values_list("pk", "resource"))
    outcomes = {pk: _refused(pk, NotFound(f"there is no drift {pk}")) for pk in wanted if pk not in resources}
    by_resource: dict[int, list[int]] = {}
    # Of one resource in one order: two who revert the same rows must not wait for each other.
    for pk, resource_pk in sorted(resources.items()):
        by_resource.setdefault(resource_pk, []).append(pk)
    for resource_pk, pks in by_resource.items():
        try:
            with transaction.atomic():
                outcomes |= _revert_together(resource_pk, pks, actor, at, note, causes or {})
        except DomainError as refusal:
            outcomes |= {pk: _refused(pk, refusal) for pk in pks}
    return [outcomes[pk] for pk in wanted]


def _revert_together(
    resource_pk: int, pks: Sequence[int], actor: str, at: datetime, note: str, causes: Mapping[int, str]
) -> dict[int, ActionResult]:
    """Lock the rows, start one saga for those that may be reverted, and link them with it."""
    outcomes, locked = {}, []
    for pk in pks:
        try:
            # The savepoint is released without harm to the locks, which last as long as the transaction.
            with locked_drift(pk, causes.get(pk), at) as each:
                require_revertable(each.drift.kind, each.drift.field, each.drift.expected)
                locked.append(each.drift)
        except DomainError as refusal:
            outcomes[pk] = _refused(pk, refusal)
    if not locked:
        return outcomes
    inputs = {"resource_id": resource_pk, "fields": [drift.field for drift in locked]}
    # In the rows' transaction: no saga without its rows, no row without its saga.
    saga = start_saga(kind=REVERT_KIND, inputs=inputs, actor=actor)
    Drift.objects.filter(pk__in=[drift.pk for drift in locked]).update(revert_saga=saga, note=note)
    return outcomes | {drift.pk: ActionResult(drift.pk, saga_id=saga.pk) for drift in locked}


def _refused(pk: int, refusal: DomainError) -> ActionResult:
    return ActionResult(pk, refusal.status, refusal.code, refusal.detail, errors=refusal.errors)
