"""Log output: one JSON object a line in production, readable lines in development."""

import logging
from typing import Any

import structlog
from structlog.typing import EventDict, Processor


def _name_request(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace the request object that Django's own loggers pass along: its text has the query's values."""
    request = event.get("request")
    if request is not None and hasattr(request, "META"):
        event["request"] = f"{request.method} {request.path}"
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
    _name_request,
]


def line_formatter(*, production: bool) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter of every line, of structlog's loggers and of others."""
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if production
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        foreign_pre_chain=_SHARED,
    )


def logging_settings(*, production: bool, level: str) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING, so that both end in the same lines on stderr."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if production:
        logging.captureWarnings(capture=True)  # Python's own warnings are lines of `py.warnings` then
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": line_formatter, "production": production}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},  # django_structlog logs each request once
            "axes": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},  # below it, whole requests with the access key
            "urllib3": {"level": "ERROR"},  # its retry warnings carry URLs; the client logs its own
        },
    }
