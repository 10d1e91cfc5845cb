"""The counts of this process that aren't in Redis yet, and the thread that sends them there.

Counts of all processes are added up in one hash in Redis. Files, the other way to count in many processes,
are of one machine: containers number their processes alike, each worker would need a port of its own, and the
file of a process that has ended is kept for good, while gunicorn and Celery replace theirs all the time.

A request or a task pays a lock and an addition; a thread sends what has come together once a second. A
process that is killed takes its last second with it. While Redis is away the counts wait here, and a message
whose answer was lost is sent again: it may count twice. A Redis that was wiped begins at 0, which Prometheus
knows from restarts.
"""

import atexit
import json
import os
import time
from collections.abc import Mapping
from threading import Event, Lock, Thread
from typing import Final

import redis
from django.conf import settings

from arcadia_cloud.kernel.queue.redis_client import redis_client

KEY: Final = "arcadia:metrics"
SEND_SECONDS: Final = 1.0
_REDIS_SECONDS: Final = 0.5


class CountBuffer:
    """Amounts by field, added up until they are sent."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: dict[str, float] = {}
        self._has_more = Event()
        self._thread: Thread | None = None
        # A fork copies the parent's amounts, which the parent sends, and a lock that may be held.
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.send)

    def add(self, amounts: Mapping[str, float]) -> None:
        """Add an amount to each field; sent within about a second."""
        with self._lock:
            for field, amount in amounts.items():
                self._pending[field] = self._pending.get(field, 0) + amount
            # After a fork, too: threads of the parent don't run in the child.
            if self._thread is None:
                self._thread = Thread(target=self._run, name="metrics", daemon=True)
                self._thread.start()
        self._has_more.set()

    def send(self) -> bool:
        """Send what has come together; return False where Redis took nothing, and it waits."""
        with self._lock:
            sent, self._pending = self._pending, {}
        if not sent:
            return True
        try:
            with redis_client(settings.REDIS_URL, _REDIS_SECONDS).pipeline(transaction=True) as pipeline:
                for field, amount in sent.items():
                    pipeline.hincrbyfloat(KEY, field, amount)
                pipeline.execute()
        except redis.RedisError:
            with self._lock:
                for field, amount in sent.items():
                    self._pending[field] = self._pending.get(field, 0) + amount
            self._has_more.set()
            return False
        return True

    def _run(self) -> None:
        while self._has_more.wait():
            time.sleep(SEND_SECONDS)
            # Before it sends: what is added meanwhile must wake it again.
            self._has_more.clear()
            self.send()

    def _reset(self) -> None:
        self._lock, self._has_more = Lock(), Event()
        self._pending, self._thread = {}, None


buffer: Final = CountBuffer()


def read_counts() -> dict[str, float]:
    """Return the counts of all processes by field, this one's included. Raises redis.RedisError."""
    buffer.send()
    stored = redis_client(settings.REDIS_URL, _REDIS_SECONDS).hgetall(KEY)
    # Bytes, of a client that decodes nothing; the library's types allow for both.
    return {
        field if isinstance(field, str) else field.decode(): float(amount) for field, amount in stored.items()
    }


def encode_field(name: str, part: str, labels: tuple[str, ...]) -> str:
    """Return the field of a metric's part (`count`, `sum`, a bucket's bound) with these labels."""
    return json.dumps([name, part, *labels], separators=(",", ":"))


def decode_field(field: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the metric's name, the part and the labels of a field."""
    name, part, *labels = json.loads(field)
    return name, part, tuple(labels)
