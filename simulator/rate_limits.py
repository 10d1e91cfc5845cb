"""DigitalOcean's rate limits: so many requests an hour and a minute per token, in sliding windows."""

from collections import deque
from dataclasses import dataclass, field

HOUR = 3600.0
MINUTE = 60.0
UNLIMITED = 1_000_000  # announced while the limits are off: a client that paces itself needn't then


@dataclass(slots=True)
class Limits:
    """Refuses nothing until enabled; then the headers count, too. Times are seconds since 1970."""

    enabled: bool = False
    per_hour: int = 5000
    per_minute: int = 250
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, token: str, at: float) -> float | None:
        """Count a request; the seconds to wait if it is one too many, else None."""
        if not self.enabled:
            return None
        asked = self._window(token, at)
        recent = [when for when in list(asked)[-self.per_minute :] if when > at - MINUTE]
        wait: float | None = None
        if len(recent) >= self.per_minute:
            wait = recent[0] + MINUTE - at
        elif len(asked) >= self.per_hour:
            wait = asked[0] + HOUR - at
        if wait is None:
            asked.append(at)
        return wait

    def headers(self, token: str, at: float) -> dict[str, str]:
        """The ratelimit headers: with the limits off, those of a limit that nobody reaches."""
        if not self.enabled:
            return _told(UNLIMITED, UNLIMITED - 1, at + HOUR)
        asked = self._window(token, at)
        remaining = max(0, self.per_hour - len(asked))
        if sum(when > at - MINUTE for when in list(asked)[-self.per_minute :]) >= self.per_minute:
            remaining = 0
        return _told(self.per_hour, remaining, (asked[0] if asked else at) + HOUR)

    def _window(self, token: str, at: float) -> deque[float]:
        asked = self._asked.setdefault(token, deque())
        while asked and asked[0] <= at - HOUR:
            asked.popleft()
        return asked


def _told(limit: int, remaining: int, reset_at: float) -> dict[str, str]:
    return {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(remaining),
        "ratelimit-reset": str(int(reset_at)),
    }
