"""Reads that more than one edge of inventory needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, QuerySet, Sum

from inventory.kinds import registry
from inventory.models import Resource, ResourceEvent, ResourceQuerySet
from inventory.values import PROVIDER_CURRENCY, RunMode, RunOutcome

# One step into an index per kind, however many runs there are.
_NEWEST_COMPLETE = """
    SELECT wanted.kind, newest.finished_at
    FROM unnest(%(kinds)s::text[]) AS wanted(kind)
    CROSS JOIN LATERAL (
        SELECT finished_at FROM sync_runs
        WHERE sync_runs.kind = wanted.kind AND outcome = %(complete)s
        ORDER BY started_at DESC LIMIT 1
    ) AS newest
"""
# A sync older than this is worth a hand.
STALE_AFTER = timedelta(hours=2)
STALE_SLOW_AFTER = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class SyncAge:
    """When a kind was last read completely; None: never. `is_stale` where that is too long ago."""

    kind: str
    completed_at: datetime | None
    is_stale: bool


def sync_ages(*, at: datetime) -> list[SyncAge]:
    """The age of each synced kind's last complete run, at the instant `at`."""
    kinds = [str(entry.kind) for entry in registry.ENTRIES]
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_COMPLETE, {"kinds": kinds, "complete": str(RunOutcome.COMPLETE)})
        newest: Mapping[str, datetime] = dict(cursor.fetchall())
    ages = []
    for entry in registry.ENTRIES:
        completed_at = newest.get(str(entry.kind))
        limit = STALE_SLOW_AFTER if entry.modes == {RunMode.SLOW} else STALE_AFTER
        ages.append(
            SyncAge(str(entry.kind), completed_at, is_stale=completed_at is None or at - completed_at > limit)
        )
    return ages


def events_of(resource: Resource, *, for_operator: bool) -> QuerySet[ResourceEvent]:
    """The history of a resource. A tenant sees it from the day it became theirs: before, it was another's."""
    events = ResourceEvent.objects.filter(resource=resource)
    if for_operator:
        return events
    changed_hands = events.filter(changes__has_key="tenant_id").aggregate(last=Max("pk"))["last"]
    return events if changed_hands is None else events.filter(pk__gt=changed_hands)


def summarize(resources: ResourceQuerySet, *, for_operator: bool) -> dict[str, Any]:
    """Count live resources by kind, region and status; for operators also by tenant, and with cost.

    `monthly_cost_cents` sums the provider's list prices in USD cents, where its API tells them. A fixed
    number of queries.
    """
    live = resources.live()
    dimensions = ["kind", "region", "status", *(["tenant_id"] if for_operator else [])]
    figures: dict[str, Any] = {"count": Count("pk")}
    if for_operator:
        figures["monthly_cost_cents"] = Sum("monthly_price_cents", default=0)
    return {
        "total": live.aggregate(**figures),
        **({"currency": PROVIDER_CURRENCY} if for_operator else {}),
        **{
            f"by_{dimension.removesuffix('_id')}": list(
                live.values(dimension).annotate(**figures).order_by(dimension)
            )
            for dimension in dimensions
        },
    }
