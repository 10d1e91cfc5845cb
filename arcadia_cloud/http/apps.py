from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.digitalocean.call_observers import register_call_observer
from arcadia_cloud.http import deployment_checks, provider_metrics, readiness_checks
from arcadia_cloud.kernel import readiness
from arcadia_cloud.kernel.metrics.gauges import register_gauges


class HttpConfig(AppConfig):
    name = "arcadia_cloud.http"
    verbose_name = "HTTP"

    def ready(self) -> None:
        """Register what must work before traffic is sent here, and the metrics that belong to no app."""
        readiness.register("database", readiness_checks.check_database)
        readiness.register("migrations", readiness_checks.MigrationsCheck())
        readiness.register("broker", readiness_checks.check_broker, vital=False)
        readiness.register(
            "workers", import_string("arcadia_cloud.http.process_checks.check_workers"), vital=False
        )
        deployment_checks.register_checks()
        register_call_observer("metrics", provider_metrics.count_call)
        register_gauges(
            "provider",
            (provider_metrics.CALLS_LEFT, provider_metrics.CALLS_LIMIT),
            provider_metrics.read_budgets,
        )
        process_gauges = "arcadia_cloud.http.process_gauges"
        for source, gauges, read in (
            ("processes", "OF_PROCESSES", "read_process_gauges"),
            ("alerts", "OF_ALERTS", "read_alert_gauges"),
        ):
            register_gauges(
                source, import_string(f"{process_gauges}.{gauges}"), import_string(f"{process_gauges}.{read}")
            )
