"""The Celery tasks of the daily schedule."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from deployments import services


@shared_task(name="deployments.end_trials")
def end_trials() -> dict[str, int]:
    """End, daily, the trials whose time is over."""
    return asdict(services.end_trials(at=timezone.now()))


@shared_task(name="deployments.roll_periods")
def roll_periods() -> dict[str, int]:
    """Move, daily, the periods that ended on."""
    return asdict(services.roll_periods(at=timezone.now()))
