"""The knowledge of apps above: how many subscribe to a version, and reasons against its publication.

The catalog imports no such app; each registers its function in its `AppConfig.ready()`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

SubscriberCounter: TypeAlias = Callable[[Sequence[int]], Mapping[int, int]]

# Takes a version's key, the digest of its terms and the time; returns a reason against it, "" for none.
PublishGuard: TypeAlias = Callable[[int, str, datetime], str]

_counters: Final[list[SubscriberCounter]] = []
_guards: Final[list[PublishGuard]] = []


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


def register_publish_guard(guard: PublishGuard) -> None:
    """Have a function asked before a version takes another one's place; its reason asks for a note."""
    if guard not in _guards:
        _guards.append(guard)


def unregister_publish_guard(guard: PublishGuard) -> None:
    """Ask this function no longer."""
    _guards.remove(guard)


def reasons_against_publishing(version_pk: int, *, terms_digest: str, at: datetime) -> list[str]:
    """Return what the guards have against publishing a version with these terms, in order of registration."""
    # All of them are asked: an operator reads every reason at once.
    found = [guard(version_pk, terms_digest, at) for guard in _guards]
    return [reason for reason in found if reason]
