"""A circuit breaker: what failed a moment ago isn't waited for again."""

import time


class CircuitBreaker:
    """Whether something failed lately, so that it needn't be waited for again.

    Per process; a race between threads costs one more short wait, so there is no lock.
    """

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self._until = 0.0

    def is_open(self) -> bool:
        """Return True for `seconds` after a trip: leave it alone."""
        return time.monotonic() < self._until

    def trip(self) -> None:
        """Record that it failed."""
        self._until = time.monotonic() + self.seconds

    def reset(self) -> None:
        """Allow another try at once."""
        self._until = 0.0
