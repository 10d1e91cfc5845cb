"""The cause of an anomaly, from our own history: parts that sum to the difference, and a sentence.

A resource's part is what it cost on the anomaly's last day less what it cost on a day before it, both at the
prices of the day before; what a changed price does is a part of its own. Resources of which nothing is known
to have changed (a longer month costs less a day) are in the rest, and so is what list prices don't explain.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, Sum

from arcadia_cloud.kernel.periods import Period, month_of
from arcadia_cloud.kernel.sql import fetch_all, load
from billing.costs.anomalies.judgement import Episode
from billing.costs.anomalies.sentence import describe_change, describe_origin, format_dollars
from billing.models import CostLine, DailyCost, ProviderPrice
from billing.values import CausePart, CostPart, CostSource, Match
from inventory.models import ResourceEvent
from inventory.values import EventType
from provisioning.models import SagaRun
from provisioning.queries import saga_at_work

_COST_OF_RESOURCES: Final = load(__package__, "cost_of_resources.sql")
_NAMED: Final = 5
LEAST_NAMED: Final = Decimal("0.005")  # less is no cent
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostSubject:
    """The subject of a cost: a kind of a deployment, of a tenant without one, or of the unattributed."""

    tenant_id: str | None
    deployment_id: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a difference, in dollars a day. The keys are of what it comes from, None where of none."""

    cause: CausePart
    text: str
    amount: Decimal
    resource_id: int | None = None
    saga_id: int | None = None
    run_id: int | None = None
    actor: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored: the amount exact, as text."""
        return {**asdict(self), "cause": str(self.cause), "amount": f"{self.amount:f}"}


@dataclass(frozen=True, slots=True)
class ResourceCost:
    """A resource's cost of one day. `amount` is None without a known price."""

    resource_id: int
    name: str
    sku: str
    size_gb: Decimal | None
    amount: Decimal | None


def find_parts(subject: CostSubject, episode: Episode, before: date) -> list[Part]:
    """Return the parts of an episode's difference, the largest first, the rest last. They sum to it exactly.

    `before` is the day that its last day is compared with.
    """
    parts = [*_resource_parts(subject, before, episode.last.day)]
    if episode.last.source == CostSource.BILLED:
        parts += _line_parts(subject, before, episode.last.day)
    parts = sorted(
        (part for part in parts if abs(part.amount) >= LEAST_NAMED),
        key=lambda part: (-abs(part.amount), part.text),
    )
    named, others = parts[:_NAMED], parts[_NAMED:]
    if others:
        sum_of_others = sum((part.amount for part in others), _ZERO)
        named.append(Part(CausePart.OTHERS, f"{len(others)} smaller changes", sum_of_others))
    rest = episode.shift - sum((part.amount for part in named), _ZERO)
    if rest:
        named.append(Part(CausePart.REST, "the rest, without an event of ours", rest))
    return named


def _cost_of_resources(subject: CostSubject, day: date, *, prices_of: date) -> dict[int, ResourceCost]:
    bounds, month = Period(day, day + timedelta(days=1)), month_of(day)
    parameters = {
        "tenant": subject.tenant_id,
        "deployment": subject.deployment_id,
        "kind": subject.kind,
        "day": prices_of,
        "day_start": bounds.starts_at,
        "day_end": bounds.ends_at,
        "month_start": month.starts_at,
        "month_end": month.ends_at,
    }
    rows = fetch_all(_COST_OF_RESOURCES, parameters, into=ResourceCost)
    return {row.resource_id: row for row in rows}


def _resource_parts(subject: CostSubject, before: date, last: date) -> Iterable[Part]:
    """Yield a part for each resource that something happened to, and for each price that changed."""
    costs_before = _cost_of_resources(subject, before, prices_of=before)
    at_old_prices = _cost_of_resources(subject, last, prices_of=before)
    costs_now = _cost_of_resources(subject, last, prices_of=last)
    repriced: defaultdict[str, Decimal] = defaultdict(Decimal)
    changed: dict[int, Decimal] = {}
    for pk in costs_before.keys() | costs_now.keys():
        old, now = costs_before.get(pk), costs_now.get(pk)
        amount = (now.amount or _ZERO) if now else _ZERO
        # Without a price in force on the day before, a price is what began.
        if now and old and (at_old := at_old_prices[pk].amount or _ZERO) != amount:
            repriced[now.sku] += amount - at_old
            amount = at_old
        change = amount - ((old.amount or _ZERO) if old else _ZERO)
        if abs(change) >= LEAST_NAMED:
            changed[pk] = change
    for sku, change in repriced.items():
        yield Part(CausePart.PRICE, _describe_price(subject.kind, sku, before, last), change)
    largest = sorted(changed, key=lambda pk: (-abs(changed[pk]), pk))
    events = _events_of(largest, since=before)
    for pk in largest:
        old, now = costs_before.get(pk), costs_now.get(pk)
        event = _decisive_event(events.get(pk, ()), old, now)
        is_same = old is not None and now is not None and (old.sku, old.size_gb) == (now.sku, now.size_gb)
        if is_same and event is None:
            continue  # a longer month, or another cap: no event, so it is in the rest
        yield _resource_part(subject.kind, old, now, event, changed[pk])


def _events_of(pks: Sequence[int], *, since: date) -> Mapping[int, list[ResourceEvent]]:
    """Return what happened to the resources since a day, oldest first; drift and tags cost nothing."""
    day = Period(since, since + timedelta(days=1))
    costly = ResourceEvent.objects.filter(resource_id__in=pks, at__gte=day.starts_at).exclude(
        event_type__in=[EventType.DRIFT_DETECTED, EventType.TAGGED]
    )
    found: defaultdict[int, list[ResourceEvent]] = defaultdict(list)
    for event in costly.select_related("resource").order_by("pk"):
        found[event.resource_id].append(event)
    return found


def _decisive_event(
    events: Iterable[ResourceEvent], old: ResourceCost | None, now: ResourceCost | None
) -> ResourceEvent | None:
    """Return the event that made the difference: the last of those that can have, None where none can."""

    def can_differ(event: ResourceEvent) -> bool:
        moves_owner = bool({"tenant_id", "deployment_id"} & event.changes.keys())
        if old is None:
            return event.event_type in {EventType.DISCOVERED, EventType.RESTORED} or moves_owner
        if now is None:
            return event.event_type == EventType.DELETED or moves_owner
        return event.event_type != EventType.UPDATED or moves_owner or _changes_size(event)

    able = [event for event in events if can_differ(event)]
    # A new size goes before whatever else a later sync found out, as the owner.
    return max(able, key=lambda event: (_changes_size(event), event.pk), default=None)


def _changes_size(event: ResourceEvent) -> bool:
    return any("size" in field or "node" in field for field in event.changes)


def _resource_part(
    kind: str,
    old: ResourceCost | None,
    now: ResourceCost | None,
    event: ResourceEvent | None,
    change: Decimal,
) -> Part:
    known = now or old
    if known is None:
        raise ValueError("a part is of a resource of one of the days")
    cause = _cause_of(old, now, event)
    saga, run_id, actor = _origin_of(event, kind)
    saga_id = saga.pk if saga else None
    what = describe_change(
        cause, (old.sku, old.size_gb) if old else None, (now.sku, now.size_gb) if now else None
    )
    origin = describe_origin(actor=actor, saga_id=saga_id, run_id=run_id, is_known=event is not None)
    text = f"{kind.replace('_', ' ')} {known.name or known.resource_id} {what}{origin}"
    return Part(cause, text, change, known.resource_id, saga_id, run_id, actor)


def _cause_of(old: ResourceCost | None, now: ResourceCost | None, event: ResourceEvent | None) -> CausePart:
    kind = event.event_type if event else ""
    if kind == EventType.RESTORED:
        return CausePart.RESTORED
    if old is None:
        return CausePart.GAINED if kind == EventType.UPDATED else CausePart.CREATED
    if now is None:
        return CausePart.LOST if kind == EventType.UPDATED else CausePart.GONE
    if (old.sku, old.size_gb) != (now.sku, now.size_gb):
        return CausePart.RESIZED
    return CausePart.CREATED if kind == EventType.DISCOVERED else CausePart.CHANGED


def _origin_of(event: ResourceEvent | None, kind: str) -> tuple[SagaRun | None, int | None, str]:
    """Return the saga, the sync run and the actor of an event; a saga that was at work goes before a run."""
    if event is None:
        return None, None, ""
    origin, _, number = event.source.partition(":")
    pk = int(number) if number.isdecimal() else None
    if origin == "saga" and pk is not None:
        return SagaRun.objects.filter(pk=pk).first(), None, event.actor
    if origin != "run":
        return None, None, event.actor
    saga = saga_at_work(f"{kind}:{event.resource.provider_id}", at=event.at)
    return (saga, None, saga.requested_by) if saga else (None, pk, event.actor)


def _describe_price(kind: str, sku: str, before: date, last: date) -> str:
    begun = ProviderPrice.objects.filter(
        kind=kind, sku__in=[sku.partition(" x")[0], ""], effective_from__gt=before, effective_from__lte=last
    )
    new = begun.order_by("-sku", "-effective_from").first()
    name = f"list price of {kind.replace('_', ' ')}" + (f" {sku}" if sku else "")
    if new is None:
        return f"{name} changed"
    old = (
        ProviderPrice.objects.filter(
            kind=kind, sku=new.sku, region=new.region, effective_to=new.effective_from
        )
        .order_by("-pk")
        .first()
    )
    was = f" {format_dollars(old.price)} →" if old else ""
    return f"{name}{was} {format_dollars(new.price)} a month"


def _line_parts(subject: CostSubject, before: date, last: date) -> Iterable[Part]:
    """Yield what lines without a resource, and adjustments, put to the difference."""
    rows = DailyCost.objects.filter(
        source=CostSource.BILLED,
        day__in=[before, last],
        tenant_id=subject.tenant_id,
        deployment=subject.deployment_id,
        kind=subject.kind,
    )
    sums = (
        rows.exclude(part__in=[CostPart.MATCHED, CostPart.TAX])
        .values("part", "day")
        .annotate(total=Sum("amount"))
    )
    change: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in sums:
        change[row["part"]] += row["total"] if row["day"] == last else -row["total"]
    for part, amount in change.items():
        if part == CostPart.UNMATCHED:
            yield Part(CausePart.UNMATCHED_LINES, _describe_lines(subject.kind, before, last), amount)
        else:
            yield Part(CausePart.ADJUSTMENTS, "credits and adjustments of the invoice", amount)


def _describe_lines(kind: str, before: date, last: date) -> str:
    bounds = Period(last, last + timedelta(days=1))
    earlier = Period(before, before + timedelta(days=1))
    lines = CostLine.objects.filter(
        invoice__is_preview=False, invoice__period=month_of(last).start, kind=kind, is_tax=False,
        match__in=[Match.AMBIGUOUS, Match.NONE],
    ).filter(
        started_at__lt=bounds.ends_at, ended_at__gt=bounds.starts_at
    )  # fmt: skip
    is_of_before = Q(started_at__lt=earlier.ends_at, ended_at__gt=earlier.starts_at)
    new = list(
        lines.exclude(is_of_before).order_by("-amount", "pk").values_list("description", flat=True)[:2]
    )
    named = f' ("{new[0]}"{", and more" if len(new) > 1 else ""})' if new else ""
    return f"invoice lines without a resource{named}"
