"""Pruning: usage that is older than its kind's retention is deleted, in batches."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import execute, load
from catalog.values.kinds import BillingKind
from metering.models import MeteredPeriod
from metering.terms import TermsByDay
from metering.values import DAY

_DELETE: Final = load(__package__, "delete_expired_usage.sql")
_BATCH: Final = 10_000


def expired_before(*, at: datetime) -> dict[str, date]:
    """Return for each billing kind the first day whose usage is kept."""
    terms = TermsByDay()
    return {str(kind): terms.kept_since(kind, at) for kind in BillingKind}


def prune_usage(*, at: datetime, report: Callable[[int], None] | None = None) -> dict[str, int]:
    """Delete usage that no kind's retention keeps, a batch a transaction; return how many rows of each kind.

    The current and the last month are never pruned. `report` gets the rows deleted so far.
    """
    pruned: dict[str, int] = {}
    kept = expired_before(at=at)
    for kind, first in kept.items():
        parameters = {"kind": kind, "before": Period(first, first + DAY).starts_at, "most": _BATCH}
        while deleted := execute(_DELETE, parameters):
            pruned[kind] = pruned.get(kind, 0) + deleted
            if report is not None:
                report(sum(pruned.values()))
    # Days of which nothing is kept are as if they had never been metered: none is looked for as missed.
    oldest = min(kept.values())
    MeteredPeriod.objects.filter(period_start__lt=Period(oldest, oldest + DAY).starts_at).delete()
    return pruned
