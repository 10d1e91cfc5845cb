"""The states of a saga and of its steps."""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices


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
