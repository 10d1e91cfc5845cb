from django.apps import AppConfig
from django.contrib.admin import apps as django_admin  # the class by its name would be an app of ours


class ConsoleConfig(AppConfig):
    name = "arcadia_cloud.console"
    verbose_name = "Console"


class ConsoleAdminConfig(django_admin.AdminConfig):
    """Django's admin with the console's site."""

    default_site = "arcadia_cloud.console.site.ConsoleSite"
    default = False
