"""Bulk actions: an outcome per row, each in a transaction of its own, so that no refusal holds up others."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from arcadia_cloud.kernel.errors import DomainError, InvalidInput
from drift.bulk_revert import revert_many
from drift.ignore_rules import ignore_drift
from drift.resolution import accept_drift
from drift.values import ActionResult, DriftAction


def act_on_many(
    *,
    action: DriftAction,
    drift_pks: Sequence[int],
    actor: str,
    at: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
    causes: Mapping[int, str] | None = None,
) -> list[ActionResult]:
    """Do an action to each row; return an outcome per id, in their order, one where it is named twice.

    `reason` is an ignore rule's, and must be given there; of the other actions it is the row's note. `causes`
    are what the operator has seen, by id. Raises InvalidInput where no row could be acted on like this.
    """
    if action == DriftAction.IGNORE and not reason.strip():
        raise InvalidInput("a reason must be given to ignore", errors={"reason": ["must be given"]})
    if expires_at is not None and expires_at <= at:
        raise InvalidInput(
            "expires_at must be in the future", errors={"expires_at": ["must be in the future"]}
        )
    if action == DriftAction.REVERT:
        return revert_many(drift_pks=drift_pks, actor=actor, at=at, note=reason, causes=causes)
    results = []
    for pk in dict.fromkeys(drift_pks):
        cause = (causes or {}).get(pk)
        try:
            if action == DriftAction.ACCEPT:
                accept_drift(drift_pk=pk, actor=actor, at=at, cause=cause, note=reason)
            else:
                ignore_drift(
                    drift_pk=pk, actor=actor, at=at, cause=cause, reason=reason, expires_at=expires_at
                )
        # One that is refused keeps none of the others back.
        except DomainError as refusal:
            results.append(
                ActionResult(pk, refusal.status, refusal.code, refusal.detail, errors=refusal.errors)
            )
        else:
            results.append(ActionResult(pk))
    return results
