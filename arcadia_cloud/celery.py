"""The Celery app. Tasks are nudges: the rows in PostgreSQL are the queue."""

import os
from typing import Any, Final

from celery import Celery
from celery.signals import (
    after_task_publish,
    before_task_publish,
    setup_logging,
    task_postrun,
    worker_shutting_down,
)
from django.dispatch import receiver
from django_structlog.celery.signals import bind_extra_task_metadata, modify_context_before_task_publish
from django_structlog.celery.steps import DjangoStructLogInitStep
from structlog.contextvars import bind_contextvars, clear_contextvars

from arcadia_cloud.kernel.queue.shutdown import request_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")

_PASSED_ON: Final = frozenset({"request_id", "parent_task_id"})


class LogTasksStep(DjangoStructLogInitStep):
    """Has a worker log what becomes of its tasks. What it sends is logged already, as in every process."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        before_task_publish.disconnect(self.receiver.receiver_before_task_publish)
        after_task_publish.disconnect(self.receiver.receiver_after_task_publish)


app = Celery("arcadia_cloud")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(LogTasksStep)
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


@receiver(bind_extra_task_metadata)
def _name_the_task(task: Any, **_kwargs: object) -> None:
    """Put the task's name on each of its lines: those of its end have only the id by themselves."""
    bind_contextvars(task=task.name)


@task_postrun.connect
def _forget_the_task(**_kwargs: object) -> None:
    """Clear the names of a task that has ended: the process logs in between, too."""
    clear_contextvars()
