"""Celery's signals that begin and end a process's heartbeat, imported once Django is set up."""

import socket
from typing import Any

from celery.signals import beat_embedded_init, beat_init, worker_ready, worker_shutting_down

from arcadia_cloud.kernel.processes import BEAT_PREFIX
from arcadia_cloud.kernel.queue.heartbeat import Heartbeat

_heartbeats: list[Heartbeat] = []


@worker_ready.connect
def _begin_worker(sender: Any, **_kwargs: object) -> None:
    _begin(Heartbeat(sender.hostname, queues=sorted(sender.app.amqp.queues.consume_from)))


@beat_init.connect
@beat_embedded_init.connect
def _begin_beat(**_kwargs: object) -> None:
    _begin(Heartbeat(f"{BEAT_PREFIX}{socket.gethostname()}"))


@worker_shutting_down.connect
def _end(**_kwargs: object) -> None:
    """A worker that is being stopped finishes its tasks, and takes no more."""
    while _heartbeats:
        _heartbeats.pop().stop()


def _begin(heartbeat: Heartbeat) -> None:
    _heartbeats.append(heartbeat)
    heartbeat.start()
