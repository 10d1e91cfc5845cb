from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.kernel import readiness, subject_links
from arcadia_cloud.kernel.metrics.gauges import register_gauges
from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule
from deployments.registry import register_transition_guard, register_transition_saga
from provisioning.queue import DELETE_OLD_FEED_EVENTS, QUEUE, READ_OFFER, REPORT_ORPHANS, SWEEP


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        """Register the workflows, the sagas of deployments' moves, the readiness check, pages and sweeps."""
        # By name: this module is imported before the models are loaded.
        import_string("provisioning.workflows.register_all")()
        register_transition_saga(
            "provisioning", import_string("provisioning.transition_sagas.start_transition_saga")
        )
        register_transition_guard(
            "sagas", import_string("provisioning.transition_sagas.refuse_while_saga_works")
        )
        register_transition_guard(
            "provisioning", import_string("provisioning.transition_sagas.refuse_archive_with_resources")
        )
        readiness.register("sagas", import_string("provisioning.readiness.check_sagas"), vital=False)
        subject_links.register("saga", "admin:provisioning_sagarun_change")
        register_gauges(
            "sagas",
            import_string("provisioning.gauges.GAUGES"),
            import_string("provisioning.gauges.read_saga_gauges"),
        )
        register_schedule(
            ScheduleEntry(
                name="provisioning: recover orphaned sagas, wake waiting ones",
                task=SWEEP,
                queue=QUEUE,
                every_seconds=10,
                expires_seconds=10,
            ),
            ScheduleEntry(
                name="provisioning: report what no saga knows of",
                task=REPORT_ORPHANS,
                queue=QUEUE,
                crontab="35 * * * *",
                expires_seconds=3600,
            ),
            ScheduleEntry(
                name="provisioning: read what DigitalOcean sells, and the account's limits",
                task=READ_OFFER,
                queue=QUEUE,
                crontab="*/15 * * * *",
                expires_seconds=900,
            ),
            ScheduleEntry(
                name="provisioning: delete old events of the feed",
                task=DELETE_OLD_FEED_EVENTS,
                queue="cloud_sync_slow",
                crontab="40 3 * * *",
            ),
        )
