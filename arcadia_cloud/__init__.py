"""The control plane: settings, layers at the bottom of the stack, and what assembles the apps."""

import gc

# Most of what a process holds was made at its start and stays. By Python's own threshold of 700 new objects
# it is searched for garbage hundreds of times, which takes a fifth of the time of `manage.py check`.
gc.set_threshold(50_000, 20, 20)

from arcadia_cloud.celery import app as celery_app  # noqa: E402 - the start begins here

__all__ = ["celery_app"]
