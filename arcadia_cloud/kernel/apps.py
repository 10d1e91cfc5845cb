from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel.queue import task_counts
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule


class KernelConfig(AppConfig):
    name = "arcadia_cloud.kernel"
    label = "kernel"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Have tasks counted and scheduled runs recorded, and register the kernel's own scheduled tasks."""
        task_counts.connect_signals()
        # By name: this module is imported before the models are loaded.
        import_string("arcadia_cloud.kernel.queue.job_signals.connect_signals")()
        register_schedule(
            ScheduleEntry(
                name="kernel: forget expired idempotency keys",
                task="kernel.forget_expired_keys",
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            ),
            ScheduleEntry(
                name="kernel: delete expired sessions and old logins",
                task="kernel.delete_old_logins",
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            ),
            ScheduleEntry(
                name="kernel: delete old runs of jobs",
                task="kernel.delete_old_job_runs",
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            ),
            ScheduleEntry(
                name="kernel: deliver alerts",
                task="kernel.deliver_alerts",
                queue="cloud_sync_slow",
                every_seconds=60,
                expires_seconds=60,
            ),
            ScheduleEntry(
                name="kernel: check workers",
                task="kernel.check_workers",
                queue="cloud_sync_slow",
                every_seconds=60,
                expires_seconds=60,
            ),
        )
