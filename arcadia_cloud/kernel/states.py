"""Life cycles as data, and the one way in which a row moves from state to state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any, TypeAlias

from django.db import models

from arcadia_cloud.kernel.errors import Conflict, DomainError

Table: TypeAlias = Mapping[str, frozenset[str]]


class IllegalTransition(DomainError):
    """The life cycle has no such move. `errors` names the moves that it has."""

    code = "illegal_transition"


class StaleState(Conflict):
    """Another worker moved the row first."""

    code = "stale_state"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Which states there are, and the table of moves between them; kept beside the enum of the states.

    `moves` has a row for each state, an empty one where the state is final. `field` is the model's, and the
    column's. Raises ValueError for a table that leaves a state out or names one that isn't there.
    """

    states: type[Enum]
    moves: Table
    field: str = "state"

    def __post_init__(self) -> None:
        known = {str(state.value) for state in self.states}
        named = set(self.moves).union(*self.moves.values())
        if set(self.moves) != known or named != known:
            odd = ", ".join(sorted((known - set(self.moves)) | (named - known)))
            raise ValueError(f"the moves of {self.states.__name__} don't fit its states: {odd}")

    def allows(self, present: str, to: str) -> bool:
        """Return whether the table has this move."""
        return to in self.moves[present]

    def allowed_from(self, present: str) -> list[str]:
        """Return the states that this one may move to, in the enum's order; none from a final state."""
        return [str(state.value) for state in self.states if state.value in self.moves[present]]

    def is_final(self, state: str) -> bool:
        """Return whether no move leads out of it."""
        return not self.moves[state]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield every pair of states, each with itself too."""
        values = [str(state.value) for state in self.states]
        yield from product(values, values)

    def assert_allows(self, present: str, to: str, name: str, *, field: str | None = None) -> None:
        """Raise IllegalTransition, on behalf of the row of this name, unless the table has this move.

        The moves that it has stand under `field`, the one that asked for the move; by default the state's.
        """
        if self.allows(present, to):
            return
        allowed = ", ".join(self.allowed_from(present))
        hint = f"Allowed from {present}: {allowed}." if allowed else f"No move leads out of {present}."
        raise IllegalTransition(f"{name}: {present} -> {to}. {hint}", errors={field or self.field: [hint]})


def advance(row: models.Model, to: str, lifecycle: Lifecycle, **changes: Any) -> None:
    """Move a row by compare-and-set, with `changes` to other fields; safe without a lock.

    `row` itself follows, as the database has it. Raises IllegalTransition if the life cycle has no such move,
    StaleState if the row isn't in the state it was read in.
    """
    field = lifecycle.field
    present: str = getattr(row, field)
    name = f"{row._meta.label} {row.pk}"
    lifecycle.assert_allows(present, to, name)
    # The condition on the present state is the lock: of two workers that read the same one, one writes.
    rows = type(row)._base_manager.filter(pk=row.pk, **{field: present})
    if rows.update(**{field: to}, **changes) != 1:
        raise StaleState(f"{name} is no longer {present}")
    row.refresh_from_db(fields=[field, *changes])
