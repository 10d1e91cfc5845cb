"""Retention: how long sync runs are kept. Resources, their events and spans are kept for good."""

from datetime import datetime, timedelta
from typing import Final

from arcadia_cloud.kernel.retention import delete_in_batches
from inventory.models import SyncRun

RUNS_KEPT_FOR: Final = timedelta(days=90)


def delete_old_runs(*, at: datetime) -> int:
    """Delete the runs that began more than 90 days before `at`; return how many. Events keep their names."""
    return delete_in_batches(SyncRun.objects.filter(started_at__lt=at - RUNS_KEPT_FOR).order_by("started_at"))
