"""The life cycles of sagas and steps: every pair of states, moved by Python and by SQL."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from arcadia_cloud.kernel.states import Lifecycle
from provisioning.models import SagaRun, SagaStepResult
from provisioning.states import ENDED, LIVE, SAGA_LIFECYCLE, STEP_LIFECYCLE, Direction, SagaStatus, StepStatus
from tests.kernel.lifecycles import walk_every_pair

pytestmark = pytest.mark.django_db
BACKWARD = {SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK}


def saga_in(status: str) -> SagaRun:
    """Store a saga in this status; backward only where the status implies it."""
    return SagaRun.objects.create(
        kind="echo",
        status=status,
        direction=Direction.BACKWARD if status in BACKWARD else Direction.FORWARD,
        step_modules=["echo"],
        inputs={},
        requested_by="a test",
        finished_at=timezone.now() if status in ENDED else None,
    )


def step_in(status: str) -> SagaStepResult:
    now = timezone.now()
    saga = saga_in(SagaStatus.RUNNING)
    return SagaStepResult.objects.create(
        saga=saga, step_idx=0, name="echo", status=status, started_at=now, began_at=now
    )


def saga_changes(to: str) -> dict[str, Any]:
    """Return the columns that the table's constraints want in this status."""
    return {
        "finished_at": timezone.now() if to in ENDED else None,
        "direction": Direction.BACKWARD if to in BACKWARD else Direction.FORWARD,
    }


def test_every_pair_of_a_sagas_statuses() -> None:
    walk_every_pair(SAGA_LIFECYCLE, saga_in, changes=saga_changes)


def test_every_pair_of_a_steps_statuses() -> None:
    walk_every_pair(STEP_LIFECYCLE, step_in)


@pytest.mark.parametrize(
    ("lifecycle", "make_row", "changes"),
    [(SAGA_LIFECYCLE, saga_in, saga_changes), (STEP_LIFECYCLE, step_in, lambda _to: {})],
    ids=["saga", "step"],
)
def test_sql_that_makes_a_move_which_is_not_listed_is_refused_in_this_suite(
    lifecycle: Lifecycle, make_row: Callable[[str], models.Model], changes: Callable[[str], dict[str, Any]]
) -> None:
    for present, to in lifecycle.pairs():
        with transaction.atomic():
            row = make_row(present)
            rows = type(row)._base_manager.filter(pk=row.pk)
            if present == to or lifecycle.allows(present, to):
                assert rows.update(status=to, **changes(to)) == 1
            else:
                with pytest.raises(IntegrityError, match=f"may not move from {present} to {to}"):
                    rows.update(status=to, **changes(to))
            transaction.set_rollback(True)


def test_a_saga_is_live_or_ended_and_only_a_dead_letter_leaves_its_end() -> None:
    assert {*LIVE, *ENDED} == set(SagaStatus)
    assert [status for status in ENDED if not SAGA_LIFECYCLE.is_final(status)] == [SagaStatus.FAILED]
    assert [status for status in StepStatus if STEP_LIFECYCLE.is_final(status)] == [
        StepStatus.COMPENSATED,
        StepStatus.COMPENSATION_FAILED,
    ]
