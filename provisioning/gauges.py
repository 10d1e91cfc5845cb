"""Gauges of provisioning: the sagas that are live or need an operator."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Count

from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample
from arcadia_cloud.kernel.models import Alert
from provisioning.models import SagaRun
from provisioning.queries import pause_state
from provisioning.recovery import OVERDUE
from provisioning.states import LIVE, SagaStatus

SAGAS: Final = Gauge(
    "arcadia_sagas", "Sagas by status: the live ones, and `failed`, the dead letters.", ("status",)
)
STUCK: Final = Gauge("arcadia_sagas_stuck", "Live sagas that take longer than their workflow's deadline.")
PAUSED: Final = Gauge("arcadia_provisioning_paused", "Whether an operator has paused all sagas.")
GAUGES: Final = (SAGAS, STUCK, PAUSED)


def read_saga_gauges(_at: datetime) -> Iterator[Sample]:
    """Count the sagas by status, from an index; those that are over are counted as they end."""
    # Not `completed` and `rolled_back`: they are all of history, and counting them would read it.
    statuses = [*LIVE, SagaStatus.FAILED]
    rows = SagaRun.objects.filter(status__in=statuses).order_by().values_list("status")
    found = dict(rows.annotate(number=Count("pk")))
    for status in statuses:
        yield Sample(SAGAS, found.get(str(status), 0), (str(status),))
    yield Sample(STUCK, Alert.objects.filter(code=OVERDUE, resolved_at=None).count())
    yield Sample(PAUSED, pause_state().paused)
