"""The Celery app. Tasks are nudges: the rows in PostgreSQL are the queue."""

import os
from typing import Any, Final

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_shutting_down
from django.dispatch import receiver
from django_structlog.celery.signals import modify_context_before_task_publish
from django_structlog.celery.steps import DjangoStructLogInitStep
from structlog.contextvars import clear_contextvars

from arcadia_cloud.kernel.queue.shutdown import request_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")

_PASSED_ON: Final = frozenset({"request_id", "parent_task_id"})

app = Celery("arcadia_cloud")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()
app.autodiscover_tasks(["arcadia_cloud.kernel.queue"], related_name="process_signals")


@setup_logging.connect
def _keep_django_logging(**_kwargs: object) -> None:
    """Celery would install its own handlers; Django's LOGGING has done it."""


@worker_shutting_down.connect
def _stop_long_tasks(**_kwargs: object) -> None:
    """Celery waits for running tasks, however long; the long ones look whether they should stop."""
    request_stop()


@receiver(modify_context_before_task_publish)
def _pass_on_the_request(context: dict[str, Any], **_kwargs: object) -> None:
    """Send along which request or task asked. No more: the saga, tenant and user here aren't the task's."""
    for name in set(context) - _PASSED_ON:
        del context[name]


@task_postrun.connect
def _forget_the_task(**_kwargs: object) -> None:
    """Clear the names of a task that has ended: the process logs in between, too."""
    clear_contextvars()
