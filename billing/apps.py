from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.metrics.gauges import register_gauges
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule
from catalog.hooks import register_publish_guard

_QUEUE = "cloud_billing"


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Provider billing"

    def ready(self) -> None:
        """Register the schedule, the gauges, pages, and the hooks on discoveries and publications."""
        # By name: this module is imported before the models are loaded.
        register_discovery_hook = import_string("inventory.services.register_discovery_hook")
        register_discovery_hook("billing", import_string("billing.matching.request_rematch"))
        register_publish_guard(import_string("billing.queries.reason_against_publishing"))
        subject_links.register("invoice", "admin:billing_providerinvoice_change")
        register_gauges(
            "billing",
            import_string("billing.gauges.GAUGES"),
            import_string("billing.gauges.read_billing_gauges"),
        )
        subject_links.register_list("audit", "admin:billing_auditfinding_changelist", "rule")
        subject_links.register("cost_anomaly", "admin:billing_costanomaly_change")
        register_schedule(
            ScheduleEntry(
                name="billing: balance",
                task="billing.snapshot_balance",
                queue=_QUEUE,
                crontab="7 * * * *",
                expires_seconds=3600,
            ),
            ScheduleEntry(
                name="billing: history, invoices and finance",
                task="billing.read_history",
                queue=_QUEUE,
                crontab="23 2 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: prices of droplet sizes",
                task="billing.read_provider_prices",
                queue="cloud_sync_slow",
                crontab="20 0 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: reported costs",
                task="billing.read_reported_costs",
                queue=_QUEUE,
                crontab="55 2 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: daily costs",
                task="billing.compute_daily_costs",
                queue=_QUEUE,
                crontab="10 3 * * *",
                expires_seconds=24 * 3600,
            ),
            # After the costs of the days, which take minutes at the most but for the first run.
            ScheduleEntry(
                name="billing: cost anomalies",
                task="billing.detect_cost_anomalies",
                queue=_QUEUE,
                crontab="30 3 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: money audit",
                task="billing.audit_money",
                queue=_QUEUE,
                crontab="55 3 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: retention of price simulations",
                task="billing.prune_simulations",
                queue=_QUEUE,
                crontab="40 3 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="billing: take up price simulations",
                task="billing.sweep_simulations",
                queue=_QUEUE,
                crontab="*/5 * * * *",
                expires_seconds=300,
            ),
            ScheduleEntry(
                name="billing: retry what failed, doesn't add up or isn't pushed",
                task="billing.sweep",
                queue=_QUEUE,
                crontab="37 * * * *",
                expires_seconds=3600,
            ),
        )
