"""The writes of drift that the edges need: the app's only door for them.

A row that an operator acts on is locked after its resource's desired state, always in this order. `cause`,
where it is given, is what the operator has seen (`Drift.cause`): a row of another cause is a Conflict.
"""

from collections.abc import Sequence
from datetime import datetime

from drift.models import Drift, DriftIgnoreRule
from drift.values import ActionResult, AdoptResult, DriftAction, DriftCounts


def detect_all(*, at: datetime) -> DriftCounts:
    """Compare every desired state with its resource; open, update and close rows. Raises LeaseHeld."""
    raise NotImplementedError


def detect_resource(*, resource_pk: int, at: datetime) -> DriftCounts:
    """Do the same for one resource."""
    raise NotImplementedError


def accept_drift(
    *, drift_pk: int, actor: str, at: datetime, cause: str | None = None, note: str = ""
) -> Drift:
    """Make the live value the desired one; `exists`: drop the desired state.

    Raises NotFound, and Conflict where the row is not open, a saga works on the resource or the live value
    is another by now.
    """
    raise NotImplementedError


def revert_drift(
    *, drift_pk: int, actor: str, at: datetime, cause: str | None = None, note: str = ""
) -> Drift:
    """Start the saga `revert_drift` with the inputs {resource_id, field, value}; the row gets `revert_saga`.

    It stays open until a sweep finds the field as desired. Raises NotFound, Conflict (a revert is under way,
    not open, moved), CannotRevert (422) with the reason, and what `start_saga` raises.
    """
    raise NotImplementedError


def ignore_drift(
    *,
    drift_pk: int,
    actor: str,
    at: datetime,
    reason: str,
    expires_at: datetime | None = None,
    cause: str | None = None,
) -> Drift:
    """Make an ignore rule for the row's field of its resource; the row is `ignored`."""
    raise NotImplementedError


def act_on_many(
    *,
    action: DriftAction,
    drift_pks: Sequence[int],
    actor: str,
    at: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
    causes: dict[int, str] | None = None,
) -> list[ActionResult]:
    """Do an action to each row, each in a transaction of its own; return an outcome per id, in their order.

    `reason` and `expires_at` are ignore's; accept and revert keep `reason` as the row's note. `causes` are
    what the operator has seen, by id.
    """
    raise NotImplementedError


def create_ignore_rule(
    *,
    kind: str,
    actor: str,
    at: datetime,
    reason: str,
    field: str = "",
    resource_pk: int | None = None,
    tag: str = "",
    expires_at: datetime | None = None,
) -> DriftIgnoreRule:
    """Make an ignore rule; the open rows that it covers become `ignored`. Raises InvalidInput, NotFound."""
    raise NotImplementedError


def end_ignore_rule(*, rule_pk: int, actor: str, at: datetime) -> DriftIgnoreRule:
    """End a rule now; what no other rule covers is open again at once. Raises NotFound, Conflict."""
    raise NotImplementedError


def adopt_resource(*, resource_pk: int, actor: str, at: datetime) -> AdoptResult:
    """Record the live state of a resource without a desired one, for the fields that can be put back.

    Raises NotFound, and Conflict where it has a desired state, is gone, or its kind has no such field.
    """
    raise NotImplementedError


def adopt_many(*, resource_pks: Sequence[int], actor: str, at: datetime) -> list[AdoptResult]:
    """Adopt each of them, with an outcome per id."""
    raise NotImplementedError
