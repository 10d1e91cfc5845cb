"""Reads that more than one edge of inventory needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, cast

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import GreaterThan

from inventory.kinds import registry
from inventory.kinds.spec import KindSpec
from inventory.models import Resource, ResourceEvent, ResourceQuerySet
from inventory.values import PROVIDER_CURRENCY, RunMode, RunOutcome

# A step or two into an index per kind, however many runs there are.
_NEWEST_RUNS = """
    SELECT wanted.kind,
           (SELECT finished_at FROM sync_runs AS run
            WHERE run.kind = wanted.kind AND run.outcome = %(complete)s
            ORDER BY run.started_at DESC LIMIT 1),
           EXISTS (SELECT FROM sync_runs AS run WHERE run.kind = wanted.kind)
           AND NOT EXISTS (
               SELECT FROM sync_runs AS run WHERE run.kind = wanted.kind AND run.outcome <> %(skipped)s
           )
    FROM unnest(%(kinds)s::text[]) AS wanted(kind)
"""
# A sync older than this is worth a hand.
STALE_AFTER = timedelta(hours=2)
STALE_SLOW_AFTER = timedelta(hours=26)
_TRIGRAM: Final = 3

Cell = dict[str, Any]  # a row of counts: its dimensions by name, and its figures


@dataclass(frozen=True, slots=True)
class SyncAge:
    """When a kind was last read completely; None: never. `is_stale` where that is too long ago."""

    kind: str
    completed_at: datetime | None
    is_stale: bool


def sync_ages(*, at: datetime) -> list[SyncAge]:
    """The age of each synced kind's last complete run, at the instant `at`."""
    kinds = [str(entry.kind) for entry in registry.ENTRIES]
    outcomes = {"complete": str(RunOutcome.COMPLETE), "skipped": str(RunOutcome.SKIPPED)}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_RUNS, {"kinds": kinds, **outcomes})
        found = {kind: (completed_at, only_skipped) for kind, completed_at, only_skipped in cursor.fetchall()}
    return [_sync_age(entry, *found[str(entry.kind)], at) for entry in registry.ENTRIES]


def _sync_age(entry: KindSpec, completed_at: datetime | None, only_skipped: bool, at: datetime) -> SyncAge:
    """A kind that was only ever skipped isn't set up, and nobody waits for it: Spaces without keys."""
    if completed_at is None:
        return SyncAge(str(entry.kind), None, is_stale=not only_skipped)
    limit = STALE_SLOW_AFTER if entry.modes == {RunMode.SLOW} else STALE_AFTER
    return SyncAge(str(entry.kind), completed_at, is_stale=at - completed_at > limit)


def events_of(resource: Resource, *, for_operator: bool) -> QuerySet[ResourceEvent]:
    """The history of a resource. A tenant sees it from the day it became theirs: before, it was another's."""
    events = ResourceEvent.objects.filter(resource=resource)
    if for_operator:
        return events
    changed_hands = events.filter(changes__has_key="tenant_id").aggregate(last=Max("pk"))["last"]
    return events if changed_hands is None else events.filter(pk__gt=changed_hands)


def rows_of(page: QuerySet[ResourceEvent], events: QuerySet[ResourceEvent]) -> QuerySet[ResourceEvent]:
    """The rows of `page`, a slice of `events`, by their keys, which an index alone tells.

    Asked for whole rows, PostgreSQL takes a big run's for spread over all of history, and walks back from the
    newest event to where they begin.
    """
    return events.filter(pk__in=page.values("pk"))


def summarize(resources: ResourceQuerySet, *, for_operator: bool) -> dict[str, Any]:
    """Count live resources by kind, region and status; for operators also by tenant, and with cost.

    `monthly_cost_cents` sums the provider's list prices in USD cents, where its API tells them; None
    where it tells none. Reads the resources once, for operators twice.
    """
    live = resources.live()
    figures: dict[str, Any] = {"count": Count("pk")}
    if for_operator:
        figures["monthly_cost_cents"] = Sum("monthly_price_cents")
    cells = cast("list[Cell]", list(live.values("kind", "region", "status").annotate(**figures)))
    summary: dict[str, Any] = {
        "total": _summed(cells, figures),
        **{f"by_{dimension}": _by(dimension, cells, figures) for dimension in ("kind", "region", "status")},
    }
    if for_operator:
        by_tenant = live.values("tenant_id").annotate(**figures).order_by("tenant_id")
        summary |= {"currency": PROVIDER_CURRENCY, "by_tenant": list(by_tenant)}
    return summary


def _by(dimension: str, cells: Iterable[Cell], figures: Iterable[str]) -> list[Cell]:
    """The cells added up to one per value of a dimension, by value."""
    ordered = sorted(cells, key=itemgetter(dimension))
    return [
        {dimension: value, **_summed(list(found), figures)}
        for value, found in groupby(ordered, key=itemgetter(dimension))
    ]


def _summed(cells: Sequence[Cell], figures: Iterable[str]) -> Cell:
    """As the database's SUM: None where no cell knows."""
    known = {figure: [cell[figure] for cell in cells if cell[figure] is not None] for figure in figures}
    summed = {figure: sum(values) if values else None for figure, values in known.items()}
    return {**summed, "count": summed["count"] or 0}


def named_with(part: str) -> Q:
    """Resources whose name has `part` in it, in any case.

    A part of one or two letters has no trigram: the index would be read from end to end, and the whole name
    of each resource besides. So such a part is looked for in what other conditions leave.
    """
    if len(part) >= _TRIGRAM:
        return Q(name__icontains=part)
    return Q(GreaterThan(StrIndex(Upper("name"), Upper(Value(part))), 0))
