"""The life cycle of a sync run, pair by pair."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from inventory.models import SyncRun
from inventory.states import RUN_LIFECYCLE
from inventory.sync.run_records import finish_run, start_run
from inventory.values import RunMode, RunOutcome
from tests.kernel.lifecycles import forbid_illegal_moves, walk_every_pair

pytestmark = pytest.mark.django_db


def stored(outcome: str) -> SyncRun:
    """Store a run with this outcome."""
    return SyncRun.objects.create(
        kind="droplet",
        mode=RunMode.FULL,
        requested_by="a test",
        started_at=timezone.now(),
        outcome=outcome,
        **ending(outcome),
    )


def ending(outcome: str) -> dict[str, Any]:
    """Return when a run with this outcome ended: one that is running hasn't."""
    return {"finished_at": timezone.now() if outcome else None}


def opened() -> SyncRun:
    """Open a run as a sync does."""
    return start_run(kind="droplet", mode=RunMode.FULL, actor="a test", at=timezone.now())


def test_a_run_makes_the_moves_of_its_lifecycle_and_no_other() -> None:
    walk_every_pair(RUN_LIFECYCLE, stored, changes=ending)


@pytest.mark.parametrize("outcome", RUN_LIFECYCLE.allowed_from(RunOutcome.RUNNING))
def test_a_run_ends_once(outcome: str) -> None:
    forbid_illegal_moves("sync_runs", "outcome", RUN_LIFECYCLE.moves)
    assert finish_run(opened(), RunOutcome(outcome)).outcome == outcome
    with pytest.raises(IntegrityError, match=f"may not move from {outcome} to "), transaction.atomic():
        SyncRun.objects.update(outcome=RunOutcome.RUNNING, finished_at=None)


def test_a_run_that_its_successor_closed_stays_failed_when_it_wakes_up() -> None:
    forbid_illegal_moves("sync_runs", "outcome", RUN_LIFECYCLE.moves)
    late = opened()
    successor = opened()
    assert finish_run(late, RunOutcome.COMPLETE).outcome == RunOutcome.FAILED
    successor.refresh_from_db()
    assert successor.outcome == RunOutcome.RUNNING
