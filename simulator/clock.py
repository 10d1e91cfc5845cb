"""Two clocks: the calendar, which stamps what happens, and virtual seconds, which actions take.

Only virtual seconds are multiplied by the speed: a calendar that ran ahead would date things in the
future of whoever reads them.
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
        return self._base + timedelta(seconds=time.monotonic() - self._started + self._advanced)

    def virtual(self) -> float:
        """Virtual seconds since the start."""
        return (time.monotonic() - self._started) * self.speed + self._advanced

    def epoch(self) -> float:
        """Seconds since 1970 on the real calendar, which is what a client compares reset times with."""
        return time.time() + self._advanced

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time doesn't go back")
        self._advanced += seconds


def format_time(at: datetime) -> str:
    """DigitalOcean's form of a time, to the second."""
    return at.isoformat(timespec="seconds")[:19] + "Z"
