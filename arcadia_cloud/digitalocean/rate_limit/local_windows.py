"""Sliding windows of one process alone; `redis_windows` are those of all processes together."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

SLACK_SHARE: Final = 100  # a hundredth of the hour may be under way
BURST_SHARE: Final = 20  # a minute may use a twentieth of the hour (API reference, "Rate Limit")


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls allowed in the long window and in the short one (a twentieth of it), and their lengths."""

    calls: int = 5000
    window_seconds: float = 3600.0
    burst_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Reservation:
    """The outcome of taking a call: counted or not, the wait for a place, and whether the hour is spent."""

    taken: bool
    wait_seconds: float = 0.0
    hour_is_spent: bool = False


@dataclass(slots=True)
class _AccountState:
    """The calls of one token. `others`: those that the provider counts and we don't; below 0: the reverse."""

    made: deque[float] = field(default_factory=deque)
    limit: int | None = None
    others: int = 0
    others_seen_at: float = 0.0
    paused_until: float = 0.0


class LocalWindows:
    """The count of this process, on its monotonic clock. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, _AccountState] = {}

    def take(self, account: str, limits: Limits) -> Reservation:
        """Count one call if every window has a place for it."""
        with self._lock:
            now = time.monotonic()
            state = self._current(account, now, limits)
            limit = state.limit or limits.calls
            if state.paused_until > now:
                return Reservation(taken=False, wait_seconds=state.paused_until - now)
            if len(state.made) + state.others >= limit:
                ends = [state.made[0] + limits.window_seconds] if state.made else []
                ends += [state.others_seen_at + limits.burst_seconds] if state.others > 0 else []
                return Reservation(taken=False, wait_seconds=min(ends) - now, hour_is_spent=True)
            burst = max(1, limit // BURST_SHARE)
            if len(state.made) >= burst and (frees_at := state.made[-burst] + limits.burst_seconds) > now:
                return Reservation(taken=False, wait_seconds=frees_at - now)
            state.made.append(now)
            return Reservation(taken=True)

    def count(self, account: str) -> None:
        """Note a call that the shared count has let through."""
        with self._lock:
            self._account(account).made.append(time.monotonic())

    def correct(self, account: str, limit: int, remaining: int) -> None:
        """Take over the provider's limit and its count.

        Zero left is ignored: it is also what a spent minute shows. So is a count slightly below ours: it
        lacks the calls that are under way.
        """
        with self._lock:
            state = self._account(account)
            state.limit = limit
            if remaining > 0:
                difference = limit - remaining - len(state.made)
                state.others = 0 if -limit // SLACK_SHARE < difference < 0 else difference
                state.others_seen_at = time.monotonic()

    def pause(self, account: str, seconds: float) -> None:
        """Let no call through for so long."""
        with self._lock:
            state = self._account(account)
            state.paused_until = max(state.paused_until, time.monotonic() + seconds)

    def left(self, account: str, limits: Limits) -> int:
        """Return the calls left in the long window."""
        with self._lock:
            state = self._current(account, time.monotonic(), limits)
            return max(0, (state.limit or limits.calls) - len(state.made) - state.others)

    def limit(self, account: str, limits: Limits) -> int:
        """Return the calls that the long window has in all."""
        with self._lock:
            return self._account(account).limit or limits.calls

    def _account(self, account: str) -> _AccountState:
        return self._accounts.setdefault(account, _AccountState())

    def _current(self, account: str, now: float, limits: Limits) -> _AccountState:
        """Return the account's state without what has left its windows."""
        state = self._account(account)
        while state.made and state.made[0] <= now - limits.window_seconds:
            state.made.popleft()
        # Others' calls count for a short window: each response renews them, nothing else would lower them.
        if state.others_seen_at <= now - limits.burst_seconds:
            state.others = 0
        return state
