from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "arcadia_cloud.console"
    verbose_name = "Console"
