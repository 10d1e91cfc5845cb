"""The Celery app. Tasks are nudges: the rows in PostgreSQL are the queue."""

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")

app = Celery("arcadia_cloud")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_django_logging(**_kwargs: object) -> None:
    """Celery would install its own handlers; Django's LOGGING has done it."""
