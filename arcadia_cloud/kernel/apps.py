from django.apps import AppConfig

from arcadia_cloud.kernel import schedule
from arcadia_cloud.kernel.schedule import ScheduleEntry


class KernelConfig(AppConfig):
    name = "arcadia_cloud.kernel"
    label = "kernel"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Fill in what the kernel itself runs on a schedule."""
        schedule.register(
            ScheduleEntry(
                name="kernel: forget expired idempotency keys",
                task="kernel.forget_expired_keys",
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            )
        )
