"""Listeners for discovered resources: a registry that upper apps fill from `AppConfig.ready()`.

They are called once per run that discovered or restored any, never per batch, and do their work elsewhere:
a sync doesn't wait for it.
"""

from collections.abc import Callable
from typing import TypeAlias

Listener: TypeAlias = Callable[[str], None]  # takes the kind
_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Add a listener; a name stands once. It must return at once and raise nothing."""
    # Another one under a taken name would never be called.
    if _listeners.setdefault(name, listener) is not listener:
        raise ValueError(f"a listener for discovered resources {name!r} is registered twice")


def notify_discovered(kind: str) -> None:
    """Call every listener: resources of this kind were discovered or restored."""
    for listener in _listeners.values():
        listener(kind)
