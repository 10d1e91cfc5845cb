"""One message for many due rows: nothing is sent while a worker that was woken has yet to look."""

from typing import Final

import redis
from django.conf import settings
from django.db import transaction

from arcadia_cloud.kernel.log_context import log_context
from arcadia_cloud.kernel.queue.broker import broker_url
from arcadia_cloud.kernel.queue.nudge import publish_now, send_best_effort
from arcadia_cloud.kernel.queue.redis_client import redis_client

# A worker that dies between waking and looking keeps others asleep for so long; the sweep finds rows too.
_FLAG_SECONDS: Final = 2


def wake(task_name: str, *, queue: str) -> None:
    """Ask a worker to look for rows that are due, this transaction's among them.

    For a task that takes whatever it finds. The worker calls `clear_wake_flag` just before it looks, so
    that a wake after that sends again, and a row that was committed before is there to be found. Best
    effort, as `nudge`.
    """

    def send_unless_woken() -> None:
        if _flags().set(_flag(task_name), 1, nx=True, ex=_FLAG_SECONDS):
            # The task takes rows of other requests, too: it must not pass for this one's.
            with log_context():
                publish_now(task_name, queue=queue)

    def publish() -> None:
        send_best_effort(task_name, send_unless_woken)

    transaction.on_commit(publish, robust=True)


def clear_wake_flag(task_name: str) -> None:
    """Let the next wake send again: the task is about to look."""
    send_best_effort(task_name, lambda: _flags().delete(_flag(task_name)))


def _flag(task_name: str) -> str:
    return f"woken:{task_name}"


def _flags() -> redis.Redis:
    return redis_client(broker_url(), settings.ARCADIA_NUDGE_TIMEOUT_SECONDS)
