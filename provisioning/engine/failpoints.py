"""The engine's boundaries, named as it passes them, for whoever wants to watch (or to crash) it there."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

import structlog

log = structlog.get_logger(__name__)
_own = logging.getLogger(__name__)


class Failpoint(StrEnum):
    """Where a worker may die. `AFTER_…` an effect means: made, and not yet committed."""

    BEFORE_STEP = "before_step"
    AFTER_EFFECT = "after_effect"
    AFTER_COMMIT = "after_commit"
    WAITING = "waiting"
    TURNED_BACK = "turned_back"
    BEFORE_COMPENSATION = "before_compensation"
    AFTER_UNDO = "after_undo"
    AFTER_UNDO_COMMIT = "after_undo_commit"
    ENDED = "ended"


Listener: TypeAlias = Callable[[Failpoint, int, int, str], None]


def _log(boundary: Failpoint, saga_id: int, step_idx: int, step: str) -> None:
    if _own.isEnabledFor(logging.DEBUG):  # a dozen times a saga: unheard, it must cost nothing
        log.debug("saga_boundary", boundary=str(boundary), saga=saga_id, step_idx=step_idx, step=step)


_listener: Listener = _log


def listen(listener: Listener | None) -> None:
    """Tell this process's listener of each boundary instead of logging it; None: log again."""
    global _listener  # noqa: PLW0603 - one per process, set before work begins
    _listener = listener or _log


def reached(boundary: Failpoint, saga_id: int, step_idx: int, step: str) -> None:
    """The engine is at this boundary."""
    _listener(boundary, saga_id, step_idx, step)
