"""Listeners for replaced resources: a registry that upper apps fill from `AppConfig.ready()`.

Names of zones and buckets, and addresses, are given out again: the row of the one that is gone is then that
of another thing. What an upper app keeps of the former one must not pass to it.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

Listener: TypeAlias = Callable[[Sequence[int]], None]  # takes the rows' keys
_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Add a listener; a name stands once. It is called in the transaction that writes the observation."""
    if _listeners.setdefault(name, listener) is not listener:
        raise ValueError(f"a listener for replaced resources {name!r} is registered twice")


def notify_replaced(resource_pks: Sequence[int]) -> None:
    """Call every listener: under these rows' ids other things were seen."""
    for listener in _listeners.values():
        listener(resource_pks)
