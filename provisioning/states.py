"""The states of a saga and of its steps, and the moves between them.

The engine's statements move most rows: a trigger in the tests' database refuses moves that aren't here.
"""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.states import Lifecycle

LIVE_SAGAS: Final = "live"  # a choice of the console's status filter, which links from other pages name


class SagaStatus(TextChoices):
    """The status of a saga. `failed` is a dead letter: the engine can't advance it without an operator."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Direction(TextChoices):
    """The direction of a saga. It turns backward once, and never forward again."""

    FORWARD = "forward"
    BACKWARD = "backward"


class StepStatus(TextChoices):
    """The status of a step. In a saga that goes backward, `running` and `waiting` are its compensation's."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"


SAGA_LIFECYCLE: Final = Lifecycle(
    SagaStatus,
    {
        # A claim, or a cancel before any claim. `failed`: no build claims it, for its step is unknown to all.
        SagaStatus.PENDING: frozenset({SagaStatus.RUNNING, SagaStatus.ROLLED_BACK, SagaStatus.FAILED}),
        SagaStatus.RUNNING: frozenset(
            {
                SagaStatus.WAITING,
                SagaStatus.COMPLETED,
                SagaStatus.FAILED,
                SagaStatus.COMPENSATING,
                SagaStatus.ROLLED_BACK,  # nothing was done that would have to be compensated
            }
        ),
        # To `rolled_back`, as from `failed`: in a copy of the database, whose original goes on with it.
        SagaStatus.WAITING: frozenset({SagaStatus.RUNNING, SagaStatus.FAILED, SagaStatus.ROLLED_BACK}),
        SagaStatus.COMPENSATING: frozenset({SagaStatus.FAILED, SagaStatus.ROLLED_BACK}),
        # An operator's retry, or a cancel, in the direction that it had.
        SagaStatus.FAILED: frozenset({SagaStatus.RUNNING, SagaStatus.COMPENSATING, SagaStatus.ROLLED_BACK}),
        SagaStatus.COMPLETED: frozenset(),
        SagaStatus.ROLLED_BACK: frozenset(),
    },
    field="status",
)
STEP_LIFECYCLE: Final = Lifecycle(
    StepStatus,
    {
        StepStatus.RUNNING: frozenset(
            {
                StepStatus.WAITING,
                StepStatus.COMPLETED,
                StepStatus.FAILED,
                StepStatus.COMPENSATED,
                StepStatus.COMPENSATION_FAILED,
            }
        ),
        # Cancelled while it waited: failed, or its compensation is entered at once.
        StepStatus.WAITING: frozenset({StepStatus.RUNNING, StepStatus.FAILED}),
        # Its compensation is entered.
        StepStatus.COMPLETED: frozenset({StepStatus.RUNNING}),
        StepStatus.FAILED: frozenset({StepStatus.RUNNING}),
        StepStatus.COMPENSATED: frozenset(),
        StepStatus.COMPENSATION_FAILED: frozenset(),
    },
    field="status",
)
LIVE: Final = (SagaStatus.PENDING, SagaStatus.RUNNING, SagaStatus.WAITING, SagaStatus.COMPENSATING)
ENDED: Final = (SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.ROLLED_BACK)


class AdvanceOutcome(StrEnum):
    """The outcome of advancing a saga.

    `not_due`: it waits, another worker holds it, or everything is paused. `interrupted`: the lease or the
    database was lost on the way; when the lease has expired, the sweep finds the saga.
    """

    NOT_DUE = "not_due"
    INTERRUPTED = "interrupted"
    PAUSED = "paused"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
