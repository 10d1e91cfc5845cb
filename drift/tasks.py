"""The sweep as a task of the schedule."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel.leases import LeaseHeld
from drift import services


@shared_task(name="drift.detect", throws=(LeaseHeld,))
def detect_drift() -> dict[str, int]:
    """Hourly, after the syncs: compare every desired state; return the counts."""
    return asdict(services.detect_all(at=timezone.now()))
