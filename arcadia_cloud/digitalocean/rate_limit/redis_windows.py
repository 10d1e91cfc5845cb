"""Sliding windows of every process together, in Redis.

A token's calls are a sorted set by time; one script looks and counts, so that no two workers take the last
place. The clock is Redis's own. A Redis that is away, or hangs, costs half a second and isn't asked again
for thirty.
"""

import time
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from arcadia_cloud.digitalocean.rate_limit.local_windows import BURST_SHARE, SLACK_SHARE, Limits, Reservation

log = structlog.get_logger(__name__)

REDIS_SECONDS: Final = 0.5
SKIP_SECONDS: Final = 30.0

# KEYS: the calls, the state. ARGV: limit, window, burst window (milliseconds), then what each script needs.
# Times are milliseconds. The state's `others` counts for a burst window: each response renews it.
_CURRENT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local window, burst_window = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local state = redis.call('HMGET', KEYS[2], 'limit', 'others', 'seen', 'paused')
local limit, others = tonumber(state[1] or ARGV[1]), tonumber(state[2] or 0)
local seen, paused = tonumber(state[3] or 0), tonumber(state[4] or 0)
if seen <= now - burst_window then others = 0 end
local made = redis.call('ZCARD', KEYS[1])
"""
_TAKE = (
    _CURRENT
    + """
if paused > now then return {0, math.ceil(paused - now), 0} end
if made + others >= limit then
    local wait = window
    if made > 0 then
        wait = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + window - now
    end
    if others > 0 then wait = math.min(wait, seen + burst_window - now) end
    return {0, math.ceil(wait), 1}
end
local burst = math.max(1, math.floor(limit / ARGV[4]))
if made >= burst then
    local frees = redis.call('ZRANGE', KEYS[1], -burst, -burst, 'WITHSCORES')[2] + burst_window
    if frees > now then return {0, math.ceil(frees - now), 0} end
end
redis.call('ZADD', KEYS[1], now, ARGV[5])
redis.call('PEXPIRE', KEYS[1], window)
return {1, 0, 0}
"""
)
_CORRECT = (
    _CURRENT
    + """
redis.call('HSET', KEYS[2], 'limit', ARGV[4])
if tonumber(ARGV[5]) > 0 then
    local difference = ARGV[4] - ARGV[5] - made
    if difference < 0 and difference > -ARGV[4] / ARGV[6] then difference = 0 end
    redis.call('HSET', KEYS[2], 'others', difference, 'seen', now)
end
redis.call('PEXPIRE', KEYS[2], window)
return 1
"""
)
_PAUSE = (
    _CURRENT
    + """
redis.call('HSET', KEYS[2], 'paused', math.max(paused, now + ARGV[4]))
redis.call('PEXPIRE', KEYS[2], window)
return 1
"""
)
_LEFT = _CURRENT + "return math.max(0, limit - made - others)"
_LIMIT = _CURRENT + "return limit"


class RedisWindows:
    """`LocalWindows` for all processes. Methods return None, or do nothing, while Redis is away."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._skip_until = 0.0
        self._scripts = {name: self._redis.register_script(text) for name, text in _SCRIPTS.items()}

    def take(self, account: str, limits: Limits) -> Reservation | None:
        """Count one call if every window has a place for it."""
        # A name of its own for each call: two within a millisecond would be one member of the set.
        result = self._run("take", account, limits, BURST_SHARE, uuid.uuid4().hex)
        if result is None:
            return None
        taken, wait, spent = result
        return Reservation(taken=bool(taken), wait_seconds=wait / 1000, hour_is_spent=bool(spent))

    def correct(self, account: str, limits: Limits, limit: int, remaining: int) -> None:
        """Take over the provider's limit and its count, as `LocalWindows.correct` does."""
        self._run("correct", account, limits, limit, remaining, SLACK_SHARE)

    def pause(self, account: str, limits: Limits, seconds: float) -> None:
        """Let no call through for so long."""
        self._run("pause", account, limits, round(seconds * 1000))

    def left(self, account: str, limits: Limits) -> int | None:
        """Return the calls left in the long window."""
        left = self._run("left", account, limits)
        return None if left is None else int(left)

    def limit(self, account: str, limits: Limits) -> int | None:
        """Return the calls that the long window has in all."""
        limit = self._run("limit", account, limits)
        return None if limit is None else int(limit)

    def _run(self, script: str, account: str, limits: Limits, *more: str | int) -> Any:
        """Run a script and return its result, which redis-py doesn't type; None while Redis is away."""
        if time.monotonic() < self._skip_until:
            return None
        keys = [f"do-budget:{{{account}}}:calls", f"do-budget:{{{account}}}:state"]
        windows = (limits.calls, round(limits.window_seconds * 1000), round(limits.burst_seconds * 1000))
        args: Sequence[str | int] = (*windows, *more)
        try:
            return self._scripts[script](keys=keys, args=args)
        except (redis.RedisError, OSError) as error:
            self._skip_until = time.monotonic() + SKIP_SECONDS
            # The error's own text may quote the URL, which may hold a password.
            log.warning("rate_budget_not_shared", reason=type(error).__name__, for_seconds=SKIP_SECONDS)
            return None


_SCRIPTS: Final = {"take": _TAKE, "correct": _CORRECT, "pause": _PAUSE, "left": _LEFT, "limit": _LIMIT}


@lru_cache(maxsize=8)
def redis_windows(url: str) -> RedisWindows:
    """Return the windows of one Redis: one pool per process, and one memory of whether it is away."""
    return RedisWindows(url)
