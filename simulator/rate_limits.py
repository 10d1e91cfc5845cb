"""DigitalOcean's rate limits: requests per hour and per minute for each token, in sliding windows."""

from collections import deque
from dataclasses import dataclass, field

HOUR = 3600.0
MINUTE = 60.0
UNLIMITED = 1_000_000  # announced while the limits are off, so that no client paces itself


@dataclass(slots=True)
class RateLimits:
    """Rate limits, which refuse nothing until enabled. Times are seconds since 1970."""

    enabled: bool = False
    per_hour: int = 5000
    per_minute: int = 250
    _request_times: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, token: str, at: float) -> float | None:
        """Count a request; returns None, or if it is one too many the seconds to wait."""
        if not self.enabled:
            return None
        request_times = self._window(token, at)
        # The latest requests suffice: had the minute more of them, it would be over its limit already.
        recent = [when for when in list(request_times)[-self.per_minute :] if when > at - MINUTE]
        wait: float | None = None
        # Until the oldest request leaves its window, which is when the next one fits.
        if len(recent) >= self.per_minute:
            wait = recent[0] + MINUTE - at
        elif len(request_times) >= self.per_hour:
            wait = request_times[0] + HOUR - at
        # A refused request isn't counted: a client that retries too early must not lengthen its own wait.
        if wait is None:
            request_times.append(at)
        return wait

    def headers(self, token: str, at: float) -> dict[str, str]:
        """Return the ratelimit headers; with the limits off, those of a limit out of reach."""
        if not self.enabled:
            return _format_headers(UNLIMITED, UNLIMITED - 1, at + HOUR)
        request_times = self._window(token, at)
        remaining = max(0, self.per_hour - len(request_times))
        # The headers know one window alone: a full minute is announced as a spent hour, as DigitalOcean does.
        if sum(when > at - MINUTE for when in list(request_times)[-self.per_minute :]) >= self.per_minute:
            remaining = 0
        return _format_headers(self.per_hour, remaining, (request_times[0] if request_times else at) + HOUR)

    def _window(self, token: str, at: float) -> deque[float]:
        request_times = self._request_times.setdefault(token, deque())
        while request_times and request_times[0] <= at - HOUR:
            request_times.popleft()
        return request_times


def _format_headers(limit: int, remaining: int, reset_at: float) -> dict[str, str]:
    return {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(remaining),
        "ratelimit-reset": str(int(reset_at)),
    }
