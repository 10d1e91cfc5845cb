from django.apps import AppConfig

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule


class DriftConfig(AppConfig):
    name = "drift"
    verbose_name = "Drift"

    def ready(self) -> None:
        """Register the sweep's schedule, and the inbox as the page of its alert."""
        subject_links.register_list("drift", "admin:drift_drift_changelist", "status")
        register_schedule(
            ScheduleEntry(
                name="drift: compare what is with what is desired",
                task="drift.detect",
                queue="cloud_sync_full",
                crontab="20 * * * *",  # after the syncs, which begin at :15
                expires_seconds=3600,
            )
        )
