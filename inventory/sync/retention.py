"""Retention: how long sync runs and unfinished readings are kept.

Resources, their events and spans are kept for good.
"""

from datetime import datetime, timedelta
from typing import Final

from arcadia_cloud.kernel.retention import delete_in_batches
from inventory.models import SyncRun, UnfinishedReading
from inventory.values import STALE_SLOW_AFTER

RUNS_KEPT_FOR: Final = timedelta(days=90)


def delete_old_runs(*, at: datetime) -> int:
    """Delete the runs that began more than 90 days before `at`; return how many. Events keep their names.

    With them go the unfinished readings that no run goes on with any more.
    """
    UnfinishedReading.objects.filter(updated_at__lt=at - STALE_SLOW_AFTER).delete()
    return delete_in_batches(SyncRun.objects.filter(started_at__lt=at - RUNS_KEPT_FOR).order_by("started_at"))
