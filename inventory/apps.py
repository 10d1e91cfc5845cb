from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.digitalocean.account_check import register_account_check
from arcadia_cloud.kernel import readiness, subject_links
from arcadia_cloud.kernel.metrics.gauges import register_gauges
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule
from deployments.registry import register_resource_counter


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = "Inventory"

    def ready(self) -> None:
        """Register the account check of the client, readiness's check of syncs, links and the schedule."""
        # By name: this module is imported before the models are loaded.
        register_account_check(import_string("inventory.sync.account.require_pinned_account"))
        subject_links.register("run", "admin:inventory_syncrun_change")
        subject_links.register("resource", "admin:inventory_resource_change")
        subject_links.register_list("kind", "admin:inventory_syncrun_changelist", "kind")
        subject_links.register_list("limit", "admin:inventory_resource_changelist", "kind")
        readiness.register("sync", import_string("inventory.readiness.sync_age"), vital=False)
        count_live = import_string("inventory.queries.count_live_by_deployment")
        register_resource_counter("inventory", count_live)
        register_gauges(
            "sync",
            import_string("inventory.gauges.GAUGES"),
            import_string("inventory.gauges.read_sync_gauges"),
        )
        register_schedule(
            ScheduleEntry(
                name="inventory: sync droplets and databases",
                task="inventory.sync",
                queue="cloud_sync_fast",
                crontab="*/5 * * * *",
                expires_seconds=5 * 60,
                kwargs='{"mode": "fast"}',
            ),
            ScheduleEntry(
                name="inventory: sync every kind but the slow ones",
                task="inventory.sync",
                queue="cloud_sync_full",
                crontab="15 * * * *",
                expires_seconds=3600,
                kwargs='{"mode": "full"}',
            ),
            ScheduleEntry(
                name="inventory: sync the slow kinds",
                task="inventory.sync",
                queue="cloud_sync_slow",
                crontab="40 0 * * *",
                expires_seconds=24 * 3600,
                kwargs='{"mode": "slow"}',
            ),
            ScheduleEntry(
                name="inventory: forget old sync runs",
                task="inventory.forget_old_runs",
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            ),
        )
