"""The counts of tasks by name and outcome, and how long they ran: Celery's signals around each."""

import time
from typing import Any, Final

from celery.signals import task_postrun, task_prerun, worker_process_shutdown

from arcadia_cloud.kernel.metrics.buffer import buffer
from arcadia_cloud.kernel.metrics.counts import OF_TASKS, Counter, Histogram, declare

TASKS: Final = declare(
    Counter("arcadia_tasks_total", "Tasks that have ended, by name and outcome.", ("task", "outcome"))
)
TASK_SECONDS: Final = declare(
    Histogram("arcadia_task_seconds", "Seconds that a task ran.", ("task",), OF_TASKS)
)
_began: dict[str, float] = {}


def connect_signals() -> None:
    """Have every task of this process, and of those that it forks, counted."""
    task_prerun.connect(begin_task)
    task_postrun.connect(count_task)
    worker_process_shutdown.connect(send_counts)


def begin_task(task_id: str, **_kwargs: object) -> None:
    """Note when the task began."""
    _began[task_id] = time.monotonic()


def count_task(task_id: str, task: Any, state: str | None = None, **_kwargs: object) -> None:
    """Count the task by its outcome: success, failure, retry, ignored."""
    # The name is of a registered task: what a message makes up never gets here.
    TASKS.add(task.name, (state or "unknown").lower())
    # None for one that was refused before it began.
    if (began := _began.pop(task_id, None)) is not None:
        TASK_SECONDS.observe(time.monotonic() - began, task.name)


def send_counts(**_kwargs: object) -> None:
    """Send what is left: a pool's process ends without the interpreter's exit handlers."""
    buffer.send()
