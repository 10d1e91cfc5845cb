from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel import readiness, subject_links
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        """Make workflows, pages and the readiness check known, and put the sweeps on the schedule."""
        # By name: this module is imported before the models are loaded.
        import_string("provisioning.workflows.register_all")()
        readiness.register("sagas", import_string("provisioning.readiness.sagas"))
        subject_links.register("saga", "admin:provisioning_sagarun_change")
        register_schedule(
            ScheduleEntry(
                name="provisioning: recover orphaned sagas, wake waiting ones",
                task="provisioning.sweep",
                queue="provisioning",
                every_seconds=10,
                expires_seconds=10,
            ),
            ScheduleEntry(
                name="provisioning: report what no saga knows of",
                task="provisioning.report_strays",
                queue="provisioning",
                crontab="35 * * * *",
                expires_seconds=3600,
            ),
        )
