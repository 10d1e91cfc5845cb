"""Checks of a life cycle: every pair of states, and a trigger that refuses moves by SQL that it lacks."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest
from django.db import connection, models, transaction
from psycopg import sql

from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.states import IllegalTransition, Lifecycle, advance

REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%.% may not move from % to %', TG_TABLE_NAME, TG_ARGV[0],
            to_jsonb(OLD) ->> TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]
            USING ERRCODE = 'check_violation';
    END $$
"""


def walk_every_pair(
    lifecycle: Lifecycle,
    make_row: Callable[[str], models.Model],
    *,
    move: Callable[[Any, str], None] | None = None,
    changes: Callable[[str], Mapping[str, Any]] | None = None,
    refusal: type[DomainError] = IllegalTransition,
) -> None:
    """Try to move a row from every state to every state: the table's moves are made, others write nothing.

    `make_row` stores a row in a state. `move` moves it and raises `refusal`; without one `advance` does, with
    the fields that `changes` returns for a state, where a constraint wants them. Each pair is rolled back.
    """
    for present, to in lifecycle.pairs():
        with transaction.atomic():
            row = make_row(present)
            before = _stored(row)
            assert before[lifecycle.field] == present
            if lifecycle.allows(present, to):
                _move(row, to, lifecycle, move, changes)
                assert getattr(row, lifecycle.field) == _stored(row)[lifecycle.field] == to, (present, to)
            else:
                with pytest.raises(refusal):
                    _move(row, to, lifecycle, move, changes)
                assert _stored(row) == before, (present, to)
            transaction.set_rollback(True)


def forbid_illegal_moves(table: str, column: str, transitions: Mapping[str, Collection[str]]) -> None:
    """Have the test database refuse an update that moves a row where its life cycle has no such move.

    Such an update raises IntegrityError; one that leaves the state as it is passes. For states moved by SQL.
    Installed in the caller's transaction and gone with it, or for good outside one; may be repeated.
    """
    pairs = [(present, to) for present, allowed in transitions.items() for to in allowed]
    known = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(str(present), str(to)) for present, to in pairs or [("", "")]
    )
    trigger = sql.SQL(
        "CREATE OR REPLACE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW "
        "WHEN (OLD.{column} IS DISTINCT FROM NEW.{column} AND (OLD.{column}, NEW.{column}) NOT IN ({known})) "
        "EXECUTE FUNCTION refuse_illegal_move({argument})"
    ).format(
        name=sql.Identifier(f"forbid_illegal_moves_of_{column}"),
        table=sql.Identifier(table),
        column=sql.Identifier(column),
        known=known,
        argument=column,
    )
    with connection.cursor() as cursor:
        cursor.execute(REFUSE)
        cursor.execute(trigger)


def _move(
    row: models.Model,
    to: str,
    lifecycle: Lifecycle,
    move: Callable[[Any, str], None] | None,
    changes: Callable[[str], Mapping[str, Any]] | None,
) -> None:
    if move is None:
        advance(row, to, lifecycle, **(changes(to) if changes else {}))
    else:
        move(row, to)
        row.refresh_from_db()


def _stored(row: models.Model) -> dict[str, Any]:
    return dict(type(row)._base_manager.filter(pk=row.pk).values().get())
