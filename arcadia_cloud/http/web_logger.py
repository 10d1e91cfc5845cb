"""The web server's own lines: its start, its stop, and a process that hung or was killed."""

import os
from typing import Any

from gunicorn.glogging import Logger

from arcadia_cloud.logs import line_formatter


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger, whose lines are JSON objects in production, as all others are."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        # From the environment: gunicorn's main process logs before anything has read the settings.
        if os.environ.get("ARCADIA_ENV") == "production":
            for handler in self.error_log.handlers:
                handler.setFormatter(line_formatter(production=True))
