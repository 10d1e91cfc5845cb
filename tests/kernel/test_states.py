"""Moving a row through its life cycle by compare-and-set."""

import pytest
from django.db import IntegrityError, models, transaction

from arcadia_cloud.kernel.api.problems import problem_of
from arcadia_cloud.kernel.states import IllegalTransition, Lifecycle, StaleState, advance
from deployments.models import Deployment
from tests.kernel.lifecycles import forbid_illegal_moves, walk_every_pair
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db


class State(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"


LIFECYCLE = Lifecycle(
    State,
    {
        State.ACTIVE: frozenset({State.SUSPENDED, State.PAUSED}),
        State.PAUSED: frozenset({State.ACTIVE}),
        State.SUSPENDED: frozenset(),
    },
)


def stored(state: str) -> Deployment:
    return Deployment.objects.create(tenant_id="acme", slug="shop", state=state)


@pytest.fixture
def row() -> Deployment:
    return stored("active")


def test_a_move_writes_the_row_and_what_goes_with_it(row: Deployment) -> None:
    advance(row, "paused", LIFECYCLE, display_name="Shop, asleep")
    assert (row.state, row.display_name) == ("paused", "Shop, asleep")
    found = Deployment.objects.get()
    assert (found.state, found.display_name) == ("paused", "Shop, asleep")


def test_a_move_that_the_table_lacks_is_refused_and_writes_nothing(row: Deployment) -> None:
    advance(row, "suspended", LIFECYCLE)
    with pytest.raises(IllegalTransition, match="suspended -> active"):
        advance(row, "active", LIFECYCLE)
    assert Deployment.objects.get().state == "suspended"


def test_a_refusal_names_the_moves_that_are_allowed(row: Deployment) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        advance(row, State.ACTIVE, LIFECYCLE)
    problem = problem_of(refusal.value)
    assert problem is not None
    assert (problem.status, problem.code) == (422, "illegal_transition")
    assert problem.detail == (
        f"deployments.Deployment {row.pk}: active -> active. Allowed from active: paused, suspended."
    )
    assert problem.errors == {"state": ["Allowed from active: paused, suspended."]}
    advance(row, State.SUSPENDED, LIFECYCLE)
    with pytest.raises(IllegalTransition, match=r"No move leads out of suspended\."):
        advance(row, State.PAUSED, LIFECYCLE)


def test_a_row_that_moved_meanwhile_is_refused(row: Deployment) -> None:
    Deployment.objects.update(state="suspended")
    with pytest.raises(StaleState, match="no longer active") as refusal:
        advance(row, "paused", LIFECYCLE)
    assert refusal.value.status == 409
    assert Deployment.objects.get().state == "suspended"
    assert row.state == "active"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_move_at_once_one_does(row: Deployment) -> None:
    def pause() -> bool:
        mine = Deployment(pk=row.pk, tenant_id="acme", slug="shop", state="active")
        try:
            advance(mine, "paused", LIFECYCLE)
        except StaleState:
            return False
        return True

    assert sorted(at_once(2, pause)) == [False, True]


def test_a_life_cycle_knows_its_moves() -> None:
    assert LIFECYCLE.allowed_from("active") == ["paused", "suspended"]
    assert LIFECYCLE.allowed_from(State.SUSPENDED) == []
    assert LIFECYCLE.allows("paused", State.ACTIVE)
    assert not LIFECYCLE.allows(State.PAUSED, "suspended")
    assert [state for state in State if LIFECYCLE.is_final(state)] == [State.SUSPENDED]
    assert len(list(LIFECYCLE.pairs())) == 9


def test_a_life_cycle_that_leaves_a_state_out_or_names_another_is_refused() -> None:
    with pytest.raises(ValueError, match="suspended"):
        Lifecycle(State, {State.ACTIVE: frozenset({State.PAUSED}), State.PAUSED: frozenset()})
    with pytest.raises(ValueError, match="gone"):
        Lifecycle(State, {**LIFECYCLE.moves, State.PAUSED: frozenset({"gone"})})


def test_the_life_cycle_of_a_field_of_another_name() -> None:
    class Name(models.TextChoices):
        OLD = "old"
        NEW = "new"

    renaming = Lifecycle(Name, {Name.OLD: frozenset({Name.NEW}), Name.NEW: frozenset()}, field="display_name")
    row = Deployment.objects.create(tenant_id="acme", slug="shop", state="active", display_name="old")
    advance(row, Name.NEW, renaming, state="paused")
    assert (row.display_name, row.state) == ("new", "paused")
    with pytest.raises(IllegalTransition) as refusal:
        advance(row, Name.OLD, renaming)
    assert refusal.value.errors == {"display_name": ["No move leads out of new."]}


def test_every_pair_is_walked() -> None:
    walk_every_pair(LIFECYCLE, stored)
    walk_every_pair(LIFECYCLE, stored, changes=lambda to: {"display_name": to})
    assert not Deployment.objects.exists()


def test_the_walk_finds_a_mover_that_does_as_it_likes() -> None:
    def force(row: Deployment, to: str) -> None:
        Deployment.objects.filter(pk=row.pk).update(state=to)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        walk_every_pair(LIFECYCLE, stored, move=force)


def test_the_trigger_lets_the_tables_moves_pass_and_no_others(row: Deployment) -> None:
    forbid_illegal_moves("cloud_deployments", "state", LIFECYCLE.moves)
    forbid_illegal_moves("cloud_deployments", "state", LIFECYCLE.moves)
    for present, to in LIFECYCLE.pairs():
        with transaction.atomic():
            moved = Deployment.objects.create(tenant_id="acme", slug=f"{present}-{to}", state=present)
            rows = Deployment.objects.filter(pk=moved.pk)
            if to in LIFECYCLE.allowed_from(present) or to == present:
                assert rows.update(state=to, display_name="moved") == 1
            else:
                with pytest.raises(IntegrityError, match=f"state may not move from {present} to {to}"):
                    rows.update(state=to)
                transaction.set_rollback(True)


def test_the_trigger_refuses_every_move_where_there_are_none(row: Deployment) -> None:
    forbid_illegal_moves("cloud_deployments", "state", {})
    with pytest.raises(IntegrityError, match=r"cloud_deployments\.state may not move from active to paused"):
        Deployment.objects.update(state="paused")
