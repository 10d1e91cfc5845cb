from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.metrics.gauges import register_gauges
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule


class DriftConfig(AppConfig):
    name = "drift"
    verbose_name = "Drift"

    def ready(self) -> None:
        """Register the gauges, the sweep's schedule, and the inbox as the page of its alert."""
        # By name: this module is imported before the models are loaded.
        register_gauges(
            "drift", import_string("drift.gauges.GAUGES"), import_string("drift.gauges.read_drift_gauges")
        )
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
