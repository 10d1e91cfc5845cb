"""The control plane: settings, layers at the bottom of the stack, and what assembles the apps."""

from arcadia_cloud.celery import app as celery_app

__all__ = ["celery_app"]
