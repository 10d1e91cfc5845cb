"""The Celery app. Tasks are nudges: the rows in PostgreSQL are the queue."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_shutting_down
from django_structlog.celery.steps import DjangoStructLogInitStep

from arcadia_cloud.kernel.queue.shutdown import request_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")

app = Celery("arcadia_cloud")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_django_logging(**_kwargs: object) -> None:
    """Celery would install its own handlers; Django's LOGGING has done it."""


@worker_shutting_down.connect
def _stop_long_tasks(**_kwargs: object) -> None:
    """Celery waits for running tasks, however long; the long ones look whether they should stop."""
    request_stop()
