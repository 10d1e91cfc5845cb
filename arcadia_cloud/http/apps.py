from django.apps import AppConfig
from django.utils.module_loading import import_string

from arcadia_cloud.http import readiness_checks
from arcadia_cloud.kernel import readiness


class HttpConfig(AppConfig):
    name = "arcadia_cloud.http"
    verbose_name = "HTTP"

    def ready(self) -> None:
        """Register what must work before traffic is sent here."""
        readiness.register("database", readiness_checks.check_database)
        readiness.register("migrations", readiness_checks.MigrationsCheck())
        readiness.register("broker", readiness_checks.check_broker, vital=False)
        readiness.register(
            "workers", import_string("arcadia_cloud.http.process_checks.check_workers"), vital=False
        )
