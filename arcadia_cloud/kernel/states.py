"""The one way in which a row with a life cycle moves from state to state."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from django.db import models

from arcadia_cloud.kernel.errors import Conflict

Table: TypeAlias = Mapping[str, frozenset[str]]


class IllegalTransition(Conflict):
    """The life cycle has no such move."""

    code = "illegal_transition"


class StaleState(Conflict):
    """Somebody else moved the row first."""

    code = "stale_state"


def advance(row: models.Model, to: str, table: Table, **changes: Any) -> None:
    """Move `row.state` to `to` by compare-and-set, with `changes` to other fields; safe without a lock.

    `row` itself follows, as the database has it. Raises IllegalTransition if `table` has no such edge,
    StaleState if the row isn't in the state it was read in.
    """
    present: str = getattr(row, "state")  # noqa: B009 - any model with a state
    name = f"{row._meta.label} {row.pk}"
    if to not in table[present]:
        raise IllegalTransition(f"{name}: {present} -> {to}")
    rows = type(row)._base_manager.filter(pk=row.pk, state=present)
    if rows.update(state=to, **changes) != 1:
        raise StaleState(f"{name} is no longer {present}")
    row.refresh_from_db(fields=["state", *changes])
