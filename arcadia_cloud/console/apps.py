from django.apps import AppConfig

from arcadia_cloud.console import checks
from arcadia_cloud.kernel import readiness


class ConsoleConfig(AppConfig):
    name = "arcadia_cloud.console"
    verbose_name = "Console"

    def ready(self) -> None:
        """Say what must be well before traffic comes here."""
        readiness.register("database", checks.database)
        readiness.register("migrations", checks.MigrationsApplied())
        readiness.register("broker", checks.broker)
