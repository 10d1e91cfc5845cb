"""A bound on requests per tenant and minute, counted in Redis, open when Redis is away.

A limit that fails closed would make the API depend on its counter. So the counter may cost a request
a fraction of a second, and is then left alone for a while.
"""

import time
from typing import Final

import redis
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from arcadia_cloud.kernel.api.authentication import caller_if_any
from arcadia_cloud.kernel.queue.circuit_breaker import CircuitBreaker
from arcadia_cloud.kernel.queue.redis_client import redis_client
from arcadia_cloud.kernel.tokens import TokenUser

log = structlog.get_logger(__name__)

WINDOW_SECONDS: Final = 60
RATE_LIMIT: Final = "arcadia.rate_limit"  # of the request's META: the headers of its answer
_TIMEOUT_SECONDS: Final = 0.1

breaker = CircuitBreaker(seconds=15)


class TenantThrottle(BaseThrottle):
    """ARCADIA_API_REQUESTS_PER_MINUTE for each tenant, or each subject of no tenant."""

    def __init__(self) -> None:
        self.wait_seconds = 1

    def allow_request(self, request: Request, view: object) -> bool:
        """Count the request in its minute. Without an answer from Redis, let it pass."""
        user = caller_if_any(request)
        if user is None or breaker.is_open():
            return True
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        try:
            with redis_client(settings.REDIS_URL, _TIMEOUT_SECONDS).pipeline(transaction=False) as pipeline:
                key = f"throttle:{owner_of(user)}:{window}"
                pipeline.incr(key)
                # In the same round trip: a count that never expires would stay for ever.
                pipeline.expire(key, 2 * WINDOW_SECONDS)
                count = int(pipeline.execute()[0])
        except redis.RedisError as error:
            breaker.trip()
            log.warning("throttle_open", error=type(error).__name__, seconds=breaker.seconds)
            return True
        self.wait_seconds = max(1, int((window + 1) * WINDOW_SECONDS - now) + 1)
        limit: int = settings.ARCADIA_API_REQUESTS_PER_MINUTE
        # On the request and not the response: an answer that no view makes, a crash's, carries them too.
        request.META[RATE_LIMIT] = {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - count)),
            "RateLimit-Reset": str(self.wait_seconds),
        }
        return count <= limit

    def wait(self) -> float:
        """Return the seconds to the next window, for Retry-After."""
        return self.wait_seconds


def owner_of(user: TokenUser) -> str:
    """Return the owner of the limit that a request counts against: its tenant, or its subject without one."""
    return f"tenant:{user.tenant_id}" if user.tenant_id is not None else f"subject:{user.actor}"
