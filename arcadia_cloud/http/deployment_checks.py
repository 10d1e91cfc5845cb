"""What `manage.py check --deploy` warns of: a production that runs, but lacks something that it should have."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


def register_checks() -> None:
    """Add the checks to `check --deploy`."""
    checks.register(metrics_are_guarded, checks.Tags.security, deploy=True)


def metrics_are_guarded(
    app_configs: Sequence[AppConfig] | None, **_options: Any
) -> list[checks.CheckMessage]:
    """Warn where no token is set: nobody can scrape then."""
    if settings.ARCADIA_METRICS_TOKEN:
        return []
    return [
        checks.Warning(
            "ARCADIA_METRICS_TOKEN is not set: /metrics is 404, and Prometheus sees nothing",
            hint="Set it, or ARCADIA_METRICS_TOKEN_FILE, to 20 random characters or more.",
            id="arcadia_cloud.W001",
        )
    ]
