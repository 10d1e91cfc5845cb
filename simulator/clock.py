"""Clock with two times: the calendar, which dates events, and virtual seconds, which actions last.

Only virtual seconds are multiplied by the speed: a calendar that ran ahead would date events in the client's
future.
"""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day


class Clock:
    def __init__(self, *, today: date | None = None, speed: float = 1.0) -> None:
        """Start at noon UTC of `today`, or at the real time if there is none."""
        if speed <= 0:
            raise ValueError("the speed must be above zero")
        self.speed = speed
        self._base = datetime.combine(today, time_of_day(12), UTC) if today is not None else datetime.now(UTC)
        self._started = time.monotonic()
        self._advanced = 0.0

    def now(self) -> datetime:
        """Return the calendar's time, UTC; it runs at the real speed and never backwards."""
        # By the monotonic clock: an adjustment of the system's time would break the order of events.
        return self._base + timedelta(seconds=time.monotonic() - self._started + self._advanced)

    def virtual(self) -> float:
        """Return the virtual seconds since the start."""
        return (time.monotonic() - self._started) * self.speed + self._advanced

    def epoch(self) -> float:
        """Return seconds since 1970 by the real date, for the times of rate limits."""
        return time.time() + self._advanced

    def advance(self, seconds: float) -> None:
        """Move all times ahead. Raises ValueError on a negative number."""
        if seconds < 0:
            raise ValueError("time doesn't go back")
        self._advanced += seconds


def format_time(at: datetime) -> str:
    """Format a UTC time as DigitalOcean does, to the second."""
    # Cut and not converted: all times are UTC here, and this runs several times for each droplet of a page.
    return at.isoformat(timespec="seconds")[:19] + "Z"
