"""The processes behind the queues: which workers and beats run, and which tasks wait for them.

A process writes its heartbeat every HEARTBEAT_SECONDS; one that hasn't for DEAD_AFTER is taken for dead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import redis
from django.conf import settings

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert, ProcessHeartbeat
from arcadia_cloud.kernel.queue.redis_client import redis_client

HEARTBEAT_SECONDS: Final = 15
DEAD_AFTER: Final = timedelta(seconds=3 * HEARTBEAT_SECONDS)
NO_WORKER: Final = "no_worker"
BEAT_PREFIX: Final = "beat@"
_BROKER_SECONDS: Final = 0.5
_KEPT_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue, how many workers take from it, when one was last seen, and how many tasks wait.

    `waiting` is None while the broker gives no answer; tasks that a worker has in hand don't count.
    """

    name: str
    workers: int
    seen_at: datetime | None
    waiting: int | None

    @property
    def is_served(self) -> bool:
        return self.workers > 0


@dataclass(frozen=True, slots=True)
class Processes:
    """Every queue in the settings' order, and how many beats run."""

    queues: Sequence[QueueState]
    beats: int

    @property
    def unserved(self) -> list[str]:
        return [queue.name for queue in self.queues if not queue.is_served]


def read_processes(*, at: datetime) -> Processes:
    """Read the heartbeats and the queues' lengths: one query, and one call of the broker."""
    heartbeats = list(ProcessHeartbeat.objects.all())
    waiting = queue_lengths()
    return Processes(
        queues=[
            _state_of(name, [each for each in heartbeats if name in each.queues], waiting, at=at)
            for name in settings.QUEUES
        ],
        beats=sum(each.name.startswith(BEAT_PREFIX) and is_alive(each, at=at) for each in heartbeats),
    )


def queue_lengths() -> dict[str, int]:
    """Return how many tasks wait in each queue; empty while the broker gives no answer."""
    try:
        with redis_client(settings.CELERY_BROKER_URL, _BROKER_SECONDS).pipeline(
            transaction=False
        ) as pipeline:
            for name in settings.QUEUES:
                pipeline.llen(name)
            return dict(zip(settings.QUEUES, pipeline.execute(), strict=True))
    except redis.RedisError:
        return {}


def record_heartbeat(name: str, *, queues: Sequence[str], started_at: datetime, at: datetime) -> None:
    """Write that the process runs, and delete the rows of processes that ended a day ago without a word."""
    ProcessHeartbeat.objects.update_or_create(
        name=name, defaults={"queues": list(queues), "started_at": started_at, "seen_at": at}
    )
    ProcessHeartbeat.objects.filter(seen_at__lt=at - _KEPT_FOR).delete()


def forget_process(name: str) -> None:
    """Delete the heartbeat of a process that ends in good order."""
    ProcessHeartbeat.objects.filter(name=name).delete()


def is_alive(heartbeat: ProcessHeartbeat, *, at: datetime) -> bool:
    """Return whether the process has written its heartbeat lately."""
    return at - heartbeat.seen_at < DEAD_AFTER


def raise_alerts_of_queues(*, at: datetime) -> list[str]:
    """Raise an alert for each queue without a worker, and resolve the others'; return those queues."""
    processes = read_processes(at=at)
    for queue in processes.queues:
        if not queue.is_served:
            raise_alert(
                code=NO_WORKER,
                subject=f"queue:{queue.name}",
                severity=Alert.Severity.CRITICAL,
                message=f"No worker takes tasks from the queue {queue.name}"
                + (f"; {queue.waiting} wait in it" if queue.waiting else ""),
            )
    unserved = set(processes.unserved)
    for alert in Alert.objects.filter(code=NO_WORKER, resolved_at=None):
        if alert.subject.removeprefix("queue:") not in unserved:
            resolve_alert(code=NO_WORKER, subject=alert.subject, actor="the check of workers")
    return processes.unserved


def _state_of(
    name: str, heartbeats: Sequence[ProcessHeartbeat], waiting: Mapping[str, int], *, at: datetime
) -> QueueState:
    return QueueState(
        name=name,
        workers=sum(is_alive(each, at=at) for each in heartbeats),
        seen_at=max((each.seen_at for each in heartbeats), default=None),
        waiting=waiting.get(name),
    )
