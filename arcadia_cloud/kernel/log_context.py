"""The names that are bound to log lines, exchanged for the time of a piece of work."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars


@contextmanager
def log_context(**names: object) -> Iterator[None]:
    """Bind these names to the lines that are logged meanwhile, and none of those bound before.

    For work that isn't the bound request's or task's alone: its lines would carry another's ids.
    """
    # All of them, not only the names given here: a request's user or tenant isn't this work's.
    before = get_contextvars()
    clear_contextvars()
    bind_contextvars(**names)
    try:
        yield
    finally:
        clear_contextvars()
        bind_contextvars(**before)
