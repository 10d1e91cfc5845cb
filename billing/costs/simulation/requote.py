"""Subscribers' months under the terms that they had and under simulated ones, and how the quotes differ.

A month of a subscriber counts if every day of it was charged under versions of the plan: then the simulated
version can take their place, from the first day to the last. Usage, add-ons, discounts, taxes and resource
prices stay the subscriber's own. Quotes are exact, and each is of its inputs alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import QuerySet

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.periods import Period
from billing.costs.simulation.month_costs import MonthCosts, read_month_costs
from catalog.columns import NO_TERMS
from catalog.models import PlanVersion
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.lines import LineType, Quote
from catalog.values.terms import AddonTerms, PlanTerms, PriceBook, QuoteInputs, Segment
from deployments.models import Subscription
from deployments.queries import SubscribedTerms, subscribed_terms
from metering.queries import usage_of_parts

_UNPRICED = LineType.UNPRICED  # by name: the member of an enum costs a lookup of its own
_Part = tuple[Period, int, tuple[AddonTerms, ...]]


class NotQuotable(Conflict):
    """A subscriber's month makes no quote."""

    code = "simulation_not_quotable"


@dataclass(frozen=True, slots=True)
class RequotedMonth:
    """A month of a subscriber: revenue without tax as it was, and as it would have been."""

    subscriber: SubscribedTerms
    month: Period
    now: Decimal
    later: Decimal
    cost: Decimal | None
    crosses_into: tuple[str, ...]
    loses_price: tuple[str, ...]


@dataclass(slots=True)
class Requoter:
    """Quotes months of subscribers again, a batch at a time, in a fixed number of queries a batch and month.

    `terms` are the simulated ones, `plan` is their plan's key. What is left out is counted.
    """

    plan: int
    terms: PlanTerms
    currency: str
    months: Sequence[Period]
    left_out: int = 0
    other_currency: int = 0
    costs: dict[Period, MonthCosts] = field(default_factory=dict)
    _books: dict[Period, PriceBook] = field(default_factory=dict)
    # Published terms never change: each version's are built once, None for those of another plan.
    _versions: dict[int, PlanTerms | None] = field(default_factory=dict)

    def requote(self, subscriptions: QuerySet[Subscription]) -> list[RequotedMonth]:
        """Return every complete month of these subscriptions. Raises NotQuotable, naming the one."""
        subscribers = []
        for subscriber in subscribed_terms(subscriptions):
            if subscriber.currency == self.currency:
                subscribers.append(subscriber)
            else:
                self.other_currency += 1
        known = {pk for subscriber in subscribers for _, pk in subscriber.versions}
        if missing := known - self._versions.keys():
            rows = PlanVersion.objects.filter(pk__in=missing).select_related("plan")
            for version in rows.prefetch_related("items"):
                self._versions[version.pk] = version.terms() if version.plan_id == self.plan else None
        return [requoted for month in self.months for requoted in self._requote_month(month, subscribers)]

    def _requote_month(self, month: Period, subscribers: Sequence[SubscribedTerms]) -> list[RequotedMonth]:
        complete: list[tuple[SubscribedTerms, list[_Part]]] = []
        for subscriber in subscribers:
            parts = subscriber.charged_parts(month)
            if sum(days.days for days, pk, _ in parts if self._versions[pk]) == month.days:
                complete.append((subscriber, parts))
            else:
                self.left_out += 1
        wanted = [(subscriber.deployment, days) for subscriber, parts in complete for days, _, _ in parts]
        usage = iter(usage_of_parts(wanted) if wanted else ())
        # Once a month and run, not once a batch: prices, taxes and rates are the same for all.
        if month not in self.costs:
            self.costs[month] = read_month_costs(month, self.currency)
            self._books[month] = price_book(month, self.currency)
        costs = self.costs[month].of([subscriber.deployment for subscriber, _ in complete])
        found = []
        for subscriber, parts in complete:
            cost = None if costs is None else costs.get(subscriber.deployment, Decimal(0))
            try:
                # Of `usage` each takes as many as it has parts, in the order in which they were asked for.
                segments = [
                    Segment(days=days, terms=terms, addons=addons, usage=next(usage))
                    for days, pk, addons in parts
                    if (terms := self._versions[pk])  # each is, in a complete month
                ]
                found.append(self._compare(subscriber, month, segments, cost))
            except NO_TERMS as error:
                name = f"{subscriber.tenant_id}, subscription {subscriber.subscription}, {month.start:%Y-%m}"
                raise NotQuotable(f"{name} makes no quote: {error}") from error
        return found

    def _compare(
        self, subscriber: SubscribedTerms, month: Period, segments: Sequence[Segment], cost: Decimal | None
    ) -> RequotedMonth:
        # Both of the same inputs but the terms: what differs is the terms' doing.
        now = quote(self._inputs(subscriber, month, segments))
        later = quote(self._inputs(subscriber, month, replace_version(segments, self.terms)))
        over_now, unpriced_now = _over(now)
        over_later, unpriced_later = _over(later)
        return RequotedMonth(
            subscriber=subscriber,
            month=month,
            now=now.subtotal.amount,
            later=later.subtotal.amount,
            cost=cost,
            crosses_into=tuple(sorted(over_later - over_now)),
            loses_price=tuple(sorted(unpriced_later - unpriced_now)),
        )

    def _inputs(self, subscriber: SubscribedTerms, month: Period, segments: Sequence[Segment]) -> QuoteInputs:
        return QuoteInputs(
            period=month,
            currency=self.currency,
            segments=tuple(segments),
            book=self._books[month],
            discounts=subscriber.discounts,
        )


def replace_version(segments: Sequence[Segment], terms: PlanTerms) -> list[Segment]:
    """Return the segments as they would have been under one version: a change of versions parts none."""
    found: list[Segment] = []
    for segment in segments:
        last = found[-1] if found else None
        if last is not None and last.days.end == segment.days.start and last.addons == segment.addons:
            days, usage = Period(last.days.start, segment.days.end), dict(last.usage)
            for kind, quantity in segment.usage.items():
                usage[kind] = usage.get(kind, Decimal(0)) + quantity
            found[-1] = Segment(days=days, terms=terms, addons=last.addons, usage=usage)
        else:
            found.append(Segment(days=segment.days, terms=terms, addons=segment.addons, usage=segment.usage))
    return found


def _over(quoted: Quote) -> tuple[set[str], set[str]]:
    """Return the kinds that are over their allowance, and those of them that have no price."""
    over = {line.code for line in quoted.lines if line.overage}
    return over, {line.code for line in quoted.lines if line.type is _UNPRICED}
