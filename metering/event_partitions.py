"""The monthly partitions of usage events: made ahead and on demand, dropped with their retention."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import structlog
from django.db import transaction

from arcadia_cloud.kernel.periods import month_of, next_month
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from metering.terms import TermsByDay
from metering.usage_events import accepted_months
from metering.values import INTAKE_KINDS

log = structlog.get_logger(__name__)

_CREATE: Final = load(__package__, "create_partitions.sql")
_DROP: Final = load(__package__, "drop_partitions.sql")


def ensure_partitions(months: Collection[date]) -> int:
    """Make the partitions of months, by their first days, that have none yet; return how many."""
    return fetch_one(_CREATE, {"months": sorted(months)}, into=int) or 0


def create_partitions_ahead(*, at: datetime) -> int:
    """Make the partitions of the months that events may be of, and of the next one; return how many."""
    created = ensure_partitions({*accepted_months(at), next_month(at).start})
    if created:
        log.info("usage_partitions_created", count=created)
    return created


def drop_expired_events(*, at: datetime) -> list[str]:
    """Drop the partitions whose events no usage that is kept counts any more; return their names.

    A month is dropped once all of it has expired for each kind that intake takes.
    """
    terms = TermsByDay()
    # The kind that is kept longest: a partition holds the events of all.
    kept_since = min(terms.kept_since(kind, at) for kind in INTAKE_KINDS)
    with transaction.atomic():
        dropped = fetch_all(_DROP, {"before": month_of(kept_since).start}, into=str)
    for name in dropped:
        log.info("usage_partition_dropped", partition=name)
    return dropped
