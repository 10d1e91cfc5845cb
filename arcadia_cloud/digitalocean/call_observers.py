"""Observers of calls to DigitalOcean: a registry for who counts them. The client itself knows no metrics."""

from collections.abc import Callable
from typing import Final

# The method, the HTTP status (None: no answer), and the seconds until the response began.
CallObserver = Callable[[str, int | None, float], None]
_observers: Final[dict[str, CallObserver]] = {}


def register_call_observer(name: str, observer: CallObserver) -> None:
    """Have a function called after each call that was sent; a name stands once."""
    if _observers.setdefault(name, observer) is not observer:
        raise ValueError(f"the call observer {name!r} is registered twice")


def report_call(method: str, status: int | None, seconds: float) -> None:
    """Call every observer."""
    for observe in _observers.values():
        observe(method, status, seconds)
