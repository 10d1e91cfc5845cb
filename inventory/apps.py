from django.apps import AppConfig

from arcadia_cloud.kernel import schedule
from arcadia_cloud.kernel.schedule import ScheduleEntry


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = "Inventory"

    def ready(self) -> None:
        """Put the syncs on the schedule."""
        schedule.register(
            ScheduleEntry(
                name="inventory: sync droplets and databases",
                task="inventory.sync",
                queue="cloud_sync_fast",
                crontab="*/5 * * * *",
                kwargs='{"mode": "fast"}',
            ),
            ScheduleEntry(
                name="inventory: sync every kind but the slow ones",
                task="inventory.sync",
                queue="cloud_sync_full",
                crontab="15 * * * *",
                kwargs='{"mode": "full"}',
            ),
            ScheduleEntry(
                name="inventory: sync the slow kinds",
                task="inventory.sync",
                queue="cloud_sync_slow",
                crontab="40 0 * * *",
                kwargs='{"mode": "slow"}',
            ),
        )
