"""Reads that more than one edge of inventory needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from inventory.kinds import registry
from inventory.kinds.entry import KindEntry
from inventory.models import Resource, ResourceEvent, ResourceQuerySet, SyncRun
from inventory.values import PROVIDER_CURRENCY, RunMode, RunOutcome

# Sync older than this is worth a hand. Source: the alert conditions of the console's specification.
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
    runs = SyncRun.objects.values("kind").annotate(
        newest=Max("finished_at", filter=Q(outcome=RunOutcome.COMPLETE)),
        tried=Count("pk", filter=~Q(outcome=RunOutcome.SKIPPED)),
    )
    of_kind: Mapping[str, Mapping[str, Any]] = {run["kind"]: run for run in runs}
    return [_sync_age(entry, of_kind.get(str(entry.kind)), at) for entry in registry.ENTRIES]


def _sync_age(entry: KindEntry, runs: Mapping[str, Any] | None, at: datetime) -> SyncAge:
    """A kind that was only ever skipped isn't set up, and nobody waits for it: Spaces without keys."""
    completed_at = runs["newest"] if runs else None
    if completed_at is None:
        return SyncAge(str(entry.kind), None, is_stale=runs is None or runs["tried"] > 0)
    limit = STALE_SLOW_AFTER if entry.modes == {RunMode.SLOW} else STALE_AFTER
    return SyncAge(str(entry.kind), completed_at, is_stale=at - completed_at > limit)


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
