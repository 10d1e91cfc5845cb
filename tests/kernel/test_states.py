"""Moving a row through its life cycle by compare-and-set."""

import pytest

from arcadia_cloud.kernel.states import IllegalTransition, StaleState, Table, advance
from deployments.models import Deployment
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db
TABLE: Table = {
    "active": frozenset({"paused", "suspended"}),
    "paused": frozenset({"active"}),
    "suspended": frozenset(),
}


@pytest.fixture
def row() -> Deployment:
    return Deployment.objects.create(tenant_id="acme", slug="shop", state="active")


def test_a_move_writes_the_row_and_what_goes_with_it(row: Deployment) -> None:
    advance(row, "paused", TABLE, display_name="Shop, asleep")
    assert (row.state, row.display_name) == ("paused", "Shop, asleep")
    stored = Deployment.objects.get()
    assert (stored.state, stored.display_name) == ("paused", "Shop, asleep")


def test_a_move_that_the_table_lacks_is_refused_and_writes_nothing(row: Deployment) -> None:
    advance(row, "suspended", TABLE)
    with pytest.raises(IllegalTransition, match="suspended -> active"):
        advance(row, "active", TABLE)
    assert Deployment.objects.get().state == "suspended"


def test_a_row_that_moved_meanwhile_is_refused(row: Deployment) -> None:
    Deployment.objects.update(state="suspended")
    with pytest.raises(StaleState, match="no longer active"):
        advance(row, "paused", TABLE)
    assert Deployment.objects.get().state == "suspended"
    assert row.state == "active"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_move_at_once_one_does(row: Deployment) -> None:
    def pause() -> bool:
        mine = Deployment(pk=row.pk, tenant_id="acme", slug="shop", state="active")
        try:
            advance(mine, "paused", TABLE)
        except StaleState:
            return False
        return True

    assert sorted(at_once(2, pause)) == [False, True]
