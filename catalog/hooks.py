"""The count of subscriptions of a version, which only an app above can know.

The catalog imports no such app; each registers its function in its `AppConfig.ready()`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

SubscriberCounter: TypeAlias = Callable[[Sequence[int]], Mapping[int, int]]

_counters: Final[list[SubscriberCounter]] = []


def register_subscriber_counter(counter: SubscriberCounter) -> None:
    """Have a function count live subscriptions by the keys of versions; one without any may be left out."""
    if counter not in _counters:
        _counters.append(counter)


def unregister_subscriber_counter(counter: SubscriberCounter) -> None:
    """Count no longer with this function."""
    _counters.remove(counter)


def count_subscribers(version_pks: Sequence[int]) -> Mapping[int, int] | None:
    """Return the live subscriptions of each of these versions; None where no app counts any."""
    if not _counters:
        return None
    found = dict.fromkeys(version_pks, 0)
    for counter in _counters:
        for pk, count in counter(version_pks).items():
            found[pk] += count
    return found
