from django.apps import AppConfig


class MainJobConfig(AppConfig):
    name = "arcadia_cloud.main_job"
    verbose_name = "Main job"
