from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule
from catalog.hooks import register_subscriber_counter

_QUEUE = "cloud_billing"


class DeploymentsConfig(AppConfig):
    name = "deployments"
    verbose_name = "Customers"

    def ready(self) -> None:
        """Register the pages of deployments and the daily tasks."""
        # By name: this module is imported before the models are loaded.
        register_subscriber_counter(import_string("deployments.queries.count_subscribers"))
        subject_links.register("deployment", "admin:deployments_deployment_change")
        register_schedule(
            ScheduleEntry(
                name="deployments: end trials",
                task="deployments.end_trials",
                queue=_QUEUE,
                crontab="5 0 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="deployments: roll subscription periods",
                task="deployments.roll_periods",
                queue=_QUEUE,
                crontab="10 0 * * *",
                expires_seconds=24 * 3600,
            ),
        )
