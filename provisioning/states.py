"""The states of a saga and of its steps."""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices


class SagaStatus(TextChoices):
    """How a saga stands. `failed` is a dead letter: the engine itself can't go on without a hand."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Direction(TextChoices):
    """Which way a saga walks. It turns back once, and never forward again."""

    FORWARD = "forward"
    BACKWARD = "backward"


class StepStatus(TextChoices):
    """How a step stands. In a saga that walks back, `running` and `waiting` are its compensation's."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"


LIVE: Final = (SagaStatus.PENDING, SagaStatus.RUNNING, SagaStatus.WAITING, SagaStatus.COMPENSATING)
ENDED: Final = (SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.ROLLED_BACK)


class AdvanceOutcome(StrEnum):
    """How a worker's walk of a saga ended.

    `not_due`: it waits, somebody else walks it, or everything is paused. `let_go`: the lease or the database
    was lost on the way; when the lease has run out, the sweep finds the saga.
    """

    NOT_DUE = "not_due"
    LET_GO = "let_go"
    PAUSED = "paused"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
