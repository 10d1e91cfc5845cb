"""Redis for requests: it answers at once, or its absence is known at once."""

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@lru_cache(maxsize=8)
def redis_client(url: str, timeout_seconds: float) -> redis.Redis:
    """Return a client, with a pool of its own, that connects and is answered within `timeout_seconds`.

    The library's default is to retry, with pauses, whatever the timeout.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
