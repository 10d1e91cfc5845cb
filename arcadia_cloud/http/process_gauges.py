"""Gauges of queues, workers and alerts. They read rows, so this is imported once the models are loaded."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Count

from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import read_processes

QUEUE_LENGTH: Final = Gauge("arcadia_queue_length", "Tasks that wait in a queue.", ("queue",))
QUEUE_WORKERS: Final = Gauge(
    "arcadia_queue_workers", "Workers with a fresh heartbeat that take from a queue.", ("queue",)
)
BEATS: Final = Gauge("arcadia_beats", "Beats with a fresh heartbeat.")
ALERTS_OPEN: Final = Gauge(
    "arcadia_alerts_open", "Open alerts by code and severity, snoozed ones too.", ("code", "severity")
)
OF_PROCESSES: Final = (QUEUE_LENGTH, QUEUE_WORKERS, BEATS)
OF_ALERTS: Final = (ALERTS_OPEN,)


def read_process_gauges(at: datetime) -> Iterator[Sample]:
    """Read heartbeats and queues. A length has no sample while the broker gives no answer."""
    processes = read_processes(at=at)
    for queue in processes.queues:
        yield Sample(QUEUE_WORKERS, queue.workers, (queue.name,))
        # Absent, not 0: a broker that is away would pass for one whose queues are empty.
        if queue.waiting is not None:
            yield Sample(QUEUE_LENGTH, queue.waiting, (queue.name,))
    yield Sample(BEATS, processes.beats)


def read_alert_gauges(_at: datetime) -> Iterator[Sample]:
    """Count the open alerts."""
    rows = Alert.objects.filter(resolved_at=None).order_by().values_list("code", "severity")
    for code, severity, number in rows.annotate(number=Count("pk")):
        yield Sample(ALERTS_OPEN, number, (code, severity))
