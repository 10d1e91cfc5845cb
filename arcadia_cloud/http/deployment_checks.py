"""Warnings of `manage.py check --deploy`: a production that runs, but lacks what it should have."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks


def register_checks() -> None:
    """Add the checks to `check --deploy`."""
    for check in (metrics_are_guarded, second_factor_is_required):
        checks.register(check, checks.Tags.security, deploy=True)


def metrics_are_guarded(**_options: Any) -> Sequence[checks.CheckMessage]:
    """Warn where no token is set: Prometheus has no access then."""
    if settings.ARCADIA_METRICS_TOKEN:
        return []
    return [
        checks.Warning(
            "ARCADIA_METRICS_TOKEN is not set: /metrics is 404, and Prometheus sees nothing",
            hint="Set it, or ARCADIA_METRICS_TOKEN_FILE, to 20 random characters or more.",
            id="arcadia_cloud.W001",
        )
    ]


def second_factor_is_required(**_options: Any) -> Sequence[checks.CheckMessage]:
    """Warn where a password alone opens the console to those who may change what runs."""
    if settings.ARCADIA_SECOND_FACTOR_REQUIRED:
        return []
    return [
        checks.Warning(
            "ARCADIA_SECOND_FACTOR_REQUIRED is false: a password alone opens the console",
            hint="Leave it unset in production, unless something in front asks for a second factor.",
            id="arcadia_cloud.W002",
        )
    ]
