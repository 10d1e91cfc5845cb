"""The scheduled work of metering. Each is thin: its outcome is in the rows, the log and the alerts."""

from dataclasses import asdict
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel.leases import LeaseHeld
from metering import services
from metering.values import MeteringResult


@shared_task(name="metering.meter_days", throws=(LeaseHeld,))
def meter_days() -> dict[str, int | list[str]]:
    """Meter, daily, the day before and all that was missed; name what was missed, and what has changed."""
    return _summary(services.meter_due(at=timezone.now()))


@shared_task(name="metering.meter_hours", throws=(LeaseHeld,))
def meter_hours() -> dict[str, int | list[str]]:
    """Meter, hourly, the hours of kinds metered hourly, and what the daily run has missed."""
    return _summary(services.meter_settled(at=timezone.now()))


@shared_task(name="metering.prune_usage")
def prune_usage() -> dict[str, int]:
    """Delete, daily, the usage that is older than its kind's retention; return how many rows of each kind."""
    return services.prune_usage(at=timezone.now())


@shared_task(name="metering.maintain_events")
def maintain_events() -> dict[str, int]:
    """Make, daily, the partitions of events to come, recount the day before, drop what has expired."""
    at = timezone.now()
    counts = services.recount_events((at - timedelta(days=1)).date(), at=at)
    return {
        "created": services.create_partitions_ahead(at=at),
        "corrected": counts.inserted + counts.corrected + counts.removed,
        "dropped": len(services.drop_expired_events(at=at)),
    }


@shared_task(name="metering.measure_bandwidth", throws=(LeaseHeld,))
def measure_bandwidth() -> dict[str, int | str | bool]:
    """Ask, daily and for the rest hourly, for the bandwidth of the days that are missing."""
    return asdict(services.measure_bandwidth(at=timezone.now()))


@shared_task(name="metering.record_closed_month")
def record_closed_month() -> dict[str, int]:
    """Keep, daily, the fingerprints of last month's quotes that aren't kept yet; return how many."""
    return {"recorded": services.record_closed_month(at=timezone.now())}


def _summary(result: MeteringResult) -> dict[str, int | list[str]]:
    return {
        "metered": len(result.metered),
        "missed": [start.isoformat() for start in result.missed],
        "remetered": [start.isoformat() for start in result.remetered],
        "inserted": result.counts.inserted,
        "corrected": result.counts.corrected,
        "removed": result.counts.removed,
        "unsized": result.counts.unsized,
    }
