"""The only door for reads: what the edges of inventory and the apps above it ask."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias, cast

from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import GreaterThan

from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from inventory.attribution.owners import Owner, is_known_tenant, resolve_owner, suggest_owners
from inventory.kinds import registry
from inventory.kinds.spec import KindSpec, Source
from inventory.models import IS_UNATTRIBUTED, Resource, ResourceEvent, ResourceQuerySet, SyncRun
from inventory.search import ChoiceCount, count_choices, count_unattributed, find_tenants
from inventory.values import (
    PROVIDER,
    PROVIDER_CURRENCY,
    TRIGRAM,
    RunMode,
    RunOutcome,
)

__all__ = [
    "ChoiceCount",
    "Owner",
    "count_choices",
    "count_unattributed",
    "find_tenants",
    "is_known_tenant",
    "resolve_owner",
    "suggest_owners",
]

_READ_SYNC_AGES: Final = load("inventory.sync", "read_sync_ages.sql")
# The changes that a tenant sees. Any other column of a resource is the operator's business: the provider's
# prices, earlier owners, and whatever is added. What is no column is an attribute of the kind.
_TENANTS_COLUMNS: Final = frozenset({"name", "region", "status", "tags"})
_COLUMNS: Final = frozenset(
    name for field in Resource._meta.concrete_fields for name in (field.name, field.attname)
)

Cell: TypeAlias = dict[str, Any]  # a row of counts: its dimensions by name, and its figures


@dataclass(frozen=True, slots=True)
class SyncAge:
    """The last time a kind was read completely; None: never. `is_stale` where that is too long ago.

    Where a part of it was kept from earlier runs, it is the age of the oldest part. `reason` is why its
    newest run wasn't complete, or what it kept; empty where it read everything. `has_failed`: that run did.
    `mode` is the schedule that reads it completely.
    """

    kind: str
    completed_at: datetime | None
    is_stale: bool
    reason: str = ""
    has_failed: bool = False
    mode: RunMode = RunMode.FULL

    @property
    def is_fresh(self) -> bool:
        """Whether it is known to be good: read completely, not too long ago, and at the last try."""
        return self.completed_at is not None and not self.is_stale and not self.has_failed


@dataclass(frozen=True, slots=True)
class _CompletedRun:
    kind: str
    completed_at: datetime | None
    outcome: str
    error: str


@dataclass(frozen=True, slots=True)
class FleetCell:
    """Live resources of one kind in one region.

    Costs are the provider's list prices in USD cents a month, where its API has them; None: none is known.
    The `unpriced` resources are in no cost.
    """

    kind: str
    region: str
    count: int
    monthly_cost_cents: int | None
    unattributed: int
    unattributed_cost_cents: int | None
    unpriced: int
    unattributed_unpriced: int


def count_live_by_deployment(deployment_ids: Collection[int]) -> Mapping[int, int]:
    """Count the live resources of deployments; one without any is left out. The deployments' hook."""
    # The key's own index finds a deployment's rows; its tombstones are among them and don't count.
    live = Resource.objects.live().filter(deployment__in=deployment_ids)
    counts = live.order_by().values("deployment").annotate(number=Count("pk"))
    return {row["deployment"]: row["number"] for row in counts}


def kind_spec(kind: str) -> KindSpec:
    """Return how a kind is read and mapped. Raises InvalidInput."""
    return registry.specs_named([kind])[0]


def sync_ages(*, at: datetime) -> list[SyncAge]:
    """Return the age of each synced kind's last complete run, at the instant `at`."""
    parameters = {
        "kinds": [str(spec.kind) for spec in registry.SPECS],
        "complete": str(RunOutcome.COMPLETE),
    }
    found = {row.kind: row for row in fetch_all(_READ_SYNC_AGES, parameters, into=_CompletedRun)}
    ages = []
    for spec in registry.SPECS:
        run = found[str(spec.kind)]
        limit = registry.stale_after(run.kind)
        # Spaces without keys were never set up. Any other kind that was never read is stale, however its runs
        # were skipped: for want of calls, say.
        is_set_up = not (spec.source is Source.SPACES and run.outcome == RunOutcome.SKIPPED)
        is_stale = is_set_up if run.completed_at is None else at - run.completed_at > limit
        ages.append(
            SyncAge(
                run.kind,
                run.completed_at,
                is_stale,
                run.error,
                has_failed=run.outcome in {RunOutcome.FAILED, RunOutcome.SUSPICIOUS},
                mode=RunMode.FULL if RunMode.FULL in spec.modes else RunMode.SLOW,
            )
        )
    return ages


def kinds_read_by_day(days: Period) -> set[tuple[date, str]]:
    """Return each of these days with each kind that was read completely at its end, or on the day after.

    The newest run that began by then decides: one that failed leaves the day unread, and so does none.
    """
    began = SyncRun.objects.filter(
        started_at__gte=days.starts_at, started_at__lt=days.ends_at + timedelta(days=1)
    )
    # In order of time: the last run of a day is the one that its resources are known by.
    runs = began.exclude(outcome__in=[RunOutcome.RUNNING, RunOutcome.SKIPPED]).order_by("started_at", "pk")
    newest: dict[tuple[date, str], str] = {}
    for kind, started_at, outcome in runs.values_list("kind", "started_at", "outcome").iterator():
        day = started_at.astimezone(UTC).date()
        for each in (day - timedelta(days=1), day):
            newest[each, kind] = outcome
    return {subject for subject, outcome in newest.items() if outcome == RunOutcome.COMPLETE}


def find_resources(identities: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the keys of resources by kind and the provider's id, gone ones too. One query."""
    # Asked for even where none is wanted: a page has then as many queries whatever it shows.
    wanted = Q(kind="", provider_id="")
    for kind, provider_id in identities:
        wanted |= Q(kind=kind, provider_id=provider_id)
    rows = Resource.objects.filter(wanted, provider=PROVIDER).values_list("kind", "provider_id", "pk")
    # Of two lives under one id the later counts.
    return {(kind, provider_id): pk for kind, provider_id, pk in rows.order_by("pk")}


def fleet_cells() -> list[FleetCell]:
    """Count live resources by kind and region. One query."""
    rows = (
        Resource.objects.live()
        .values("kind", "region")
        .annotate(
            count=Count("pk"),
            monthly_cost_cents=Sum("monthly_price_cents"),
            unattributed=Count("pk", filter=IS_UNATTRIBUTED),
            unattributed_cost_cents=Sum("monthly_price_cents", filter=IS_UNATTRIBUTED),
            unpriced=Count("pk", filter=Q(monthly_price_cents=None)),
            unattributed_unpriced=Count("pk", filter=Q(IS_UNATTRIBUTED, monthly_price_cents=None)),
        )
        .order_by("kind", "region")
    )
    return [FleetCell(**row) for row in rows]


def sum_of_known(costs: Iterable[int | None]) -> int | None:
    """Add up the known costs; None where none is: unknown isn't free."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def events_of(resource: Resource, *, for_operator: bool) -> QuerySet[ResourceEvent]:
    """Return the history of a resource; for a tenant, from the day that it became theirs."""
    events = ResourceEvent.objects.filter(resource=resource)
    if for_operator:
        return events
    last_handover = events.filter(changes__has_key="tenant_id").aggregate(last=Max("pk"))["last"]
    return events if last_handover is None else events.filter(pk__gt=last_handover)


def changes_for_tenant(changes: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Return an event's changes without what is the operator's business."""
    return {
        field: pair for field, pair in changes.items() if field in _TENANTS_COLUMNS or field not in _COLUMNS
    }


def events_of_source(source: str) -> QuerySet[ResourceEvent]:
    """Return the events that one run, saga or operator wrote, the newest first."""
    # As a range, so that the order still names the source: only the index of sources has that order. Of an
    # equal source PostgreSQL takes a big run's events for spread over all of history, and reads back from
    # the newest one to where they begin.
    return ResourceEvent.objects.filter(source__range=(source, source)).order_by("-source", "-pk")


def summarize(resources: ResourceQuerySet, *, for_operator: bool) -> dict[str, Any]:
    """Count live resources by kind, region and status; for operators also by tenant, and with cost.

    `monthly_cost_cents` sums the provider's list prices in USD cents, where its API has them; None
    where none is known. The `unpriced` resources are in no cost. Reads the resources once, for operators
    twice.
    """
    live = resources.live()
    figures: dict[str, Any] = {"count": Count("pk")}
    if for_operator:
        figures["monthly_cost_cents"] = Sum("monthly_price_cents")
        figures["unpriced"] = Count("pk", filter=Q(monthly_price_cents=None))
    cells = cast("list[Cell]", list(live.values("kind", "region", "status").annotate(**figures)))
    summary: dict[str, Any] = {"total": _add_up(cells, figures)}
    for dimension in ("kind", "region", "status"):
        ordered = sorted(cells, key=itemgetter(dimension))  # groupby takes neighbours alone
        summary[f"by_{dimension}"] = [
            {dimension: value, **_add_up(list(found), figures)}
            for value, found in groupby(ordered, key=itemgetter(dimension))
        ]
    if for_operator:
        by_tenant = live.values("tenant_id").annotate(**figures).order_by("tenant_id")
        summary |= {"currency": PROVIDER_CURRENCY, "by_tenant": list(by_tenant)}
    return summary


def _add_up(cells: Sequence[Cell], figures: Iterable[str]) -> Cell:
    """Add up as the database does: a SUM is None where no cell has a value, a COUNT is 0."""
    known = {figure: [cell[figure] for cell in cells if cell[figure] is not None] for figure in figures}
    nothing = {"monthly_cost_cents": None}
    return {figure: sum(values) if values else nothing.get(figure, 0) for figure, values in known.items()}


def named_with(part: str) -> Q:
    """Match resources whose name has `part` in it, in any case."""
    # A part of one or two letters has no trigram: the index would be read from end to end, and the whole name
    # of each resource besides. So such a part is looked for in what other conditions leave.
    if len(part) >= TRIGRAM:
        return Q(name__icontains=part)
    return Q(GreaterThan(StrIndex(Upper("name"), Upper(Value(part))), 0))


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of a running run; `percent` is None until it is known how many there are."""

    run: SyncRun
    percent: int | None
    caption: str


def run_progress(run: SyncRun) -> RunProgress:
    """Return how far a running run is, with its caption."""
    if not run.expected:
        return RunProgress(run, None, f"{run.seen:,} seen")
    percent = min(100, run.seen * 100 // run.expected)
    return RunProgress(run, percent, f"{run.seen:,} of {run.expected:,}")


def kinds_with_recurring_ids() -> list[str]:
    """Return the kinds of which another thing may come under the id of one that is gone."""
    return [str(spec.kind) for spec in registry.SPECS if spec.ids_recur]
