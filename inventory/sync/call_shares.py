"""The division of an hour's calls: among the kinds of a run, and between the full runs and the fast ones.

A kind that needs more than its share is read as far as that reaches, and by the next run from there. Whatever
needs little gets all of it, so that no kind is shut out by a larger one before it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.sql import fetch_all, load
from inventory.kinds import registry
from inventory.models import SyncRun
from inventory.values import PROJECT_RUNS, RunMode, RunOutcome

_RESERVE_SHARE: Final = 10  # a tenth of the hour is left to sagas, and to whoever else uses the token
_UNKNOWN_NEED: Final = 50  # of a kind that was never read; one that needs more has it after its first run
_HOUR_SECONDS: Final = 3600
_FAST_SECONDS: Final = 300  # the fast schedule's own interval
_JITTER: Final = timedelta(seconds=30)
_READ_NEEDED_CALLS: Final = load(__package__, "read_needed_calls.sql")


class _Need(NamedTuple):
    """The calls that a whole reading of a kind takes."""

    kind: str
    needed_calls: int


class RateBudgetTooSmall(DomainError):
    """The run wouldn't fit into what is left of the hour's calls."""

    code = "rate_budget_too_small"


def divide(calls: int, needs: Sequence[int]) -> list[int]:
    """Divide calls so that a small need is met in full, and the others get the same each."""
    shares = [0] * len(needs)
    left = max(calls, 0)
    by_need = sorted(range(len(needs)), key=needs.__getitem__)
    for done, index in enumerate(by_need):
        shares[index] = min(needs[index], left // (len(needs) - done))
        left -= shares[index]
    return shares


def known_needs(kinds: Sequence[str]) -> dict[str, int]:
    """Return the calls that a whole reading of each kind takes, of those whose runs have found out."""
    return {
        row.kind: row.needed_calls for row in fetch_all(_READ_NEEDED_CALLS, {"kinds": [*kinds]}, into=_Need)
    }


def allowed_calls(kind: str, waiting: Sequence[str], budget: RateBudget) -> int | None:
    """Return the calls that a run of `kind` may make, with `waiting` still to come; None without a limit.

    Raises RateBudgetTooSmall where it may make none.
    """
    left, limit = budget.left_this_hour(), budget.hourly_limit()
    if left is None or limit is None:
        return None
    usable = left - min(limit // _RESERVE_SHARE, left // 2)
    known = known_needs([kind, *waiting])
    needs = [known.get(other) or _UNKNOWN_NEED for other in waiting]
    # What the kind is known to need may be too little by now: it may have all that the others leave.
    _, *others = divide(usable, [known.get(kind) or usable, *needs])
    if (allowed := usable - sum(others)) < 1:
        raise RateBudgetTooSmall(f"{left} calls are left of this hour's {limit}")
    return allowed


def require_fast_run(run: SyncRun, allowed: int | None, budget: RateBudget) -> None:
    """Raise RateBudgetTooSmall where a fast run isn't due, or can't be read to its end.

    The interval of fast runs follows from what the full ones leave of an hour's calls, and is never less than
    the schedule's.
    """
    full = [PROJECT_RUNS, *(str(spec.kind) for spec in registry.specs_of_mode(RunMode.FULL))]
    fast = [str(spec.kind) for spec in registry.specs_of_mode(RunMode.FAST)]
    known = known_needs(sorted({run.kind, *full, *fast}))
    need, limit = known.get(run.kind), budget.hourly_limit()
    if need is None or allowed is None or limit is None:
        return
    spare = limit - limit // _RESERVE_SHARE - sum(known.get(kind, 0) for kind in full)
    wanted = [known.get(kind, 0) * _HOUR_SECONDS // _FAST_SECONDS for kind in fast]
    share = dict(zip(fast, divide(spare, wanted), strict=True)).get(run.kind, spare)
    why = f"a run takes about {need} calls, and the full runs leave {max(spare, 0)} of an hour's {limit}"
    if share < need:
        raise RateBudgetTooSmall(f"left to the full runs: {why}")
    interval = timedelta(seconds=_HOUR_SECONDS * need / share)
    if interval.total_seconds() > _FAST_SECONDS:
        read = SyncRun.objects.filter(kind=run.kind, started_at__lt=run.started_at)
        last = read.exclude(outcome=RunOutcome.SKIPPED).order_by("-started_at").first()
        if last is not None and run.started_at < last.started_at + interval - _JITTER:
            due = last.started_at + interval
            minutes = round(interval.total_seconds() / 60)
            raise RateBudgetTooSmall(
                f"stretched to one in about {minutes} minutes, the next at {due:%H:%M} UTC: {why}"
            )
    if need > allowed:
        left = budget.left_this_hour()
        raise RateBudgetTooSmall(f"it takes about {need} calls, but {left} are left of this hour's")
