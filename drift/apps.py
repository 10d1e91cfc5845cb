from django.apps import AppConfig

from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule


class DriftConfig(AppConfig):
    name = "drift"
    verbose_name = "Drift"

    def ready(self) -> None:
        """Register the sweep's schedule."""
        register_schedule(
            ScheduleEntry(
                name="drift: compare what is with what is desired",
                task="drift.detect",
                queue="cloud_sync_full",
                crontab="20 * * * *",  # after the syncs, which begin at :15
                expires_seconds=3600,
            )
        )
