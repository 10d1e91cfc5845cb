"""The named points that the engine passes, for a listener that watches it there, or crashes it."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

import structlog

log = structlog.get_logger(__name__)
_standard_log = logging.getLogger(__name__)


class Failpoint(StrEnum):
    """A point at which a worker may die. `AFTER_…` an effect means: made, and not yet committed."""

    BEFORE_STEP = "before_step"
    AFTER_EFFECT = "after_effect"
    AFTER_COMMIT = "after_commit"
    WAITING = "waiting"
    COMPENSATION_STARTED = "compensation_started"
    BEFORE_COMPENSATION = "before_compensation"
    AFTER_COMPENSATION = "after_compensation"
    AFTER_COMPENSATION_COMMIT = "after_compensation_commit"
    ENDED = "ended"


Listener: TypeAlias = Callable[[Failpoint, int, int, str], None]


def _log(failpoint: Failpoint, saga_id: int, step_idx: int, step: str) -> None:
    if _standard_log.isEnabledFor(
        logging.DEBUG
    ):  # a dozen times a saga: it must cost nothing when not logged
        log.debug("saga_failpoint", failpoint=str(failpoint), saga=saga_id, step_idx=step_idx, step=step)


_listener: Listener = _log


def listen(listener: Listener | None) -> None:
    """Call this process's listener at each failpoint instead of logging it; None: log again."""
    global _listener  # noqa: PLW0603 - one per process, set before work begins
    _listener = listener or _log


def reached(failpoint: Failpoint, saga_id: int, step_idx: int, step: str) -> None:
    """Call the listener: the engine is at this point."""
    _listener(failpoint, saga_id, step_idx, step)
