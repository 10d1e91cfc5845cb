"""The calls that a token has left, shared by every process that uses it.

DigitalOcean allows a token 5,000 calls in any hour and 250 (5 %) in any minute (API reference, "Rate
Limit"). Each call is an entry of a sorted set in Redis, taken by one script, so that no two workers take
the last place. The `ratelimit-*` headers correct the count for calls that others made with the token.
Without Redis each process keeps to the limits by itself.
"""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings

from arcadia_cloud.digitalocean.credentials import api_token
from arcadia_cloud.digitalocean.errors import BudgetExhausted, ProviderUnavailable
from arcadia_cloud.digitalocean.rate_limit.local_windows import Limits, LocalWindows
from arcadia_cloud.digitalocean.rate_limit.redis_windows import redis_windows

log = structlog.get_logger(__name__)

LONGEST_WAIT_SECONDS: Final = 120.0
_MOST_DIGITS: Final = 9  # a count of more is no limit, and Lua and int() have limits of their own
_PROCESS_WINDOWS: Final = LocalWindows()  # one per process: clients come and go, the token's limits stay


class RateBudget:
    """The calls that the token of `purpose` has left. Safe in threads and processes.

    `limits` are used until DigitalOcean's own `ratelimit-limit` is seen.
    """

    def __init__(
        self,
        purpose: str = "SYNC",
        *,
        base_url: str | None = None,
        redis_url: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._purpose = purpose
        self._base_url = base_url or settings.DO_API_URL
        self._limits = limits or Limits()
        self._shared = redis_windows(redis_url or settings.REDIS_URL)
        self._local = _PROCESS_WINDOWS

    def take(self) -> float:
        """Count one call, waiting for a place in the minute; returns the seconds waited.

        Raises BudgetExhausted when the hour is spent, ProviderUnavailable when the wait grows past two
        minutes. Nothing is counted then.
        """
        account = self._account()
        waited = 0.0
        while True:
            reservation = self._shared.take(account, self._limits)
            if reservation is None:
                reservation = self._local.take(account, self._limits)
            elif reservation.taken:
                # Counted here too: when Redis goes away in mid-hour, this process still knows what it spent.
                self._local.count(account)
            if reservation.taken:
                return waited
            if reservation.hour_is_spent:
                frees_at = datetime.now(UTC) + timedelta(seconds=reservation.wait_seconds)
                raise BudgetExhausted(
                    f"the hour's calls of the {self._purpose} token are spent; the next one is free at "
                    f"{frees_at:%H:%M:%S} UTC",
                    frees_at=frees_at,
                )
            if waited + reservation.wait_seconds > LONGEST_WAIT_SECONDS:
                raise ProviderUnavailable(
                    f"the rate limit has no place within {LONGEST_WAIT_SECONDS:.0f} seconds"
                )
            wait = reservation.wait_seconds
            log.info("rate_limit_wait", purpose=self._purpose, wait_seconds=round(wait, 1))
            time.sleep(wait)
            waited += wait

    def correct(self, headers: Mapping[str, str]) -> None:
        """Take over DigitalOcean's limit, and its count unless calls under way explain the difference."""
        limit = _parse_count(headers.get("ratelimit-limit"))
        remaining = _parse_count(headers.get("ratelimit-remaining"))
        if not limit or remaining is None:
            return
        account = self._account()
        self._local.correct(account, limit, remaining)
        self._shared.correct(account, self._limits, limit, remaining)

    def pause(self, seconds: float) -> None:
        """Hold every user of this token back: DigitalOcean has just answered 429."""
        account = self._account()
        self._local.pause(account, seconds)
        self._shared.pause(account, self._limits, seconds)

    def left_this_hour(self) -> int | None:
        """Return the calls left in the running hour; None where there is no limit."""
        account = self._account()
        left = self._shared.left(account, self._limits)
        return self._local.left(account, self._limits) if left is None else left

    def hourly_limit(self) -> int | None:
        """Return the calls that an hour has in all; None where there is no limit."""
        account = self._account()
        limit = self._shared.limit(account, self._limits)
        return self._local.limit(account, self._limits) if limit is None else limit

    def _account(self) -> str:
        """Return a name for the token at its provider, which doesn't give the token away."""
        return hashlib.sha256(f"{self._base_url} {api_token(self._purpose)}".encode()).hexdigest()[:32]


class UnlimitedBudget(RateBudget):
    """A budget without a limit, for benches."""

    def __init__(self) -> None:
        pass

    def take(self) -> float:
        return 0.0

    def correct(self, headers: Mapping[str, str]) -> None:
        pass

    def pause(self, seconds: float) -> None:
        pass

    def left_this_hour(self) -> int | None:
        return None

    def hourly_limit(self) -> int | None:
        return None


def _parse_count(text: str | None) -> int | None:
    """Read a header's number; None where it is no count that a limit could have."""
    if text is None or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    return int(text)
