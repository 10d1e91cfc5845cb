"""Redis for requests: it answers at once, or its absence is known at once and for a while."""

import time
from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


class CircuitBreaker:
    """Whether something failed lately, so that it needn't be waited for again.

    Per process; a race between threads costs one more short wait, so there is no lock.
    """

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self._until = 0.0

    def is_open(self) -> bool:
        """True for `seconds` after a trip: leave it alone."""
        return time.monotonic() < self._until

    def trip(self) -> None:
        """It failed."""
        self._until = time.monotonic() + self.seconds

    def reset(self) -> None:
        """Try it again at once."""
        self._until = 0.0


@lru_cache(maxsize=8)
def redis_client(url: str, timeout_seconds: float) -> redis.Redis:
    """A client with a pool of its own that waits at most `timeout_seconds` to connect and for an answer.

    The library's default is to retry, with pauses, whatever the timeout.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
