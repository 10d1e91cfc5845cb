"""Subscribers' months under the terms that they had and under simulated ones, and how the quotes differ.

A month of a subscriber counts if every day of it was charged under versions of the plan: then the simulated
version can take their place, from the first day to the last. Usage, add-ons, discounts and resource prices
stay the subscriber's own; taxes are in neither. Quotes are exact, and each is of its inputs alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet
from msgspec.structs import replace

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetching_ahead
from billing.costs.simulation.month_costs import NOTHING, DeploymentCost, MonthCosts, read_month_costs
from catalog.columns import NO_TERMS
from catalog.models import PlanVersion
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.lines import LineType, Quote
from catalog.values.terms import AddonTerms, PlanTerms, PriceBook, QuoteInputs, Segment
from deployments.models import Subscription
from deployments.queries import SubscribedTerms, subscribed_terms
from metering.queries import usage_of_deployments, usage_of_parts

_UNPRICED = LineType.UNPRICED  # by name: the member of an enum costs a lookup of its own
_Part = tuple[Period, int, tuple[AddonTerms, ...]]


class NotQuotable(Conflict):
    """A subscriber's month makes no quote."""

    code = "simulation_not_quotable"


class RequotedMonth(NamedTuple):
    """A month of a subscriber: revenue without tax as it was, and as it would have been."""

    subscriber: SubscribedTerms
    month: Period
    now: Decimal
    later: Decimal
    crosses_into: tuple[str, ...]
    loses_price: tuple[str, ...]


class RequotedBatch(NamedTuple):
    """A month of some subscribers; `costs` are their deployments', None where the month's aren't known."""

    rows: list[RequotedMonth]
    costs: Mapping[int, DeploymentCost] | None

    def cost_of(self, row: RequotedMonth) -> DeploymentCost | None:
        """Return what a row's deployment cost in the month."""
        return None if self.costs is None else self.costs.get(row.subscriber.deployment, NOTHING)


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

    def requote(self, subscriptions: QuerySet[Subscription]) -> Iterator[RequotedBatch]:
        """Yield for each month the subscriptions that had all of it. Raises NotQuotable, naming the one."""
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
        for month in self.months:
            yield self._requote_month(month, subscribers)

    def _requote_month(self, month: Period, subscribers: Sequence[SubscribedTerms]) -> RequotedBatch:
        whole: list[tuple[SubscribedTerms, list[_Part]]] = []
        parted: list[tuple[SubscribedTerms, list[_Part]]] = []
        for subscriber in subscribers:
            parts = subscriber.charged_parts(month)
            if sum(days.days for days, pk, _ in parts if self._versions[pk]) == month.days:
                (whole if len(parts) == 1 else parted).append((subscriber, parts))
            else:
                self.left_out += 1
        # Once a month and run, not once a batch: prices and rates are the same for all.
        if month not in self.costs:
            self.costs[month] = read_month_costs(month, self.currency)
            # Revenue is without tax: a quote has its taxes last, and nothing depends on them.
            self._books[month] = replace(price_book(month, self.currency), tax_rates=())
        found = []
        wanted = [(subscriber.deployment, days) for subscriber, parts in parted for days, _, _ in parts]
        of_parts = iter(usage_of_parts(wanted) if wanted else ())
        for subscriber, parts in parted:
            # Each takes as many as it has parts, in the order in which they were asked for.
            found.append(self._requote_one(subscriber, month, parts, [next(of_parts) for _ in parts]))
        deployments = [subscriber.deployment for subscriber, _ in whole]
        of_month = usage_of_deployments(deployments, month)
        with fetching_ahead() as ahead:
            # No quote waits for them: they are summed up meanwhile.
            costs = self.costs[month].of([*deployments, *(each.deployment for each, _ in parted)], ahead)
            # By far the most have one part.
            for subscriber, parts in whole:
                usage = [of_month.get(subscriber.deployment, {})]
                found.append(self._requote_one(subscriber, month, parts, usage))
            return RequotedBatch(found, costs())

    def _requote_one(
        self,
        subscriber: SubscribedTerms,
        month: Period,
        parts: Sequence[_Part],
        usage: Sequence[Mapping[str, Decimal]],
    ) -> RequotedMonth:
        try:
            segments = [
                Segment(days=days, terms=terms, addons=addons, usage=used)
                for (days, pk, addons), used in zip(parts, usage, strict=True)
                if (terms := self._versions[pk])  # each is, in a complete month
            ]
            return self._compare(subscriber, month, segments)
        except NO_TERMS as error:
            name = f"{subscriber.tenant_id}, subscription {subscriber.subscription}, {month.start:%Y-%m}"
            raise NotQuotable(f"{name} makes no quote: {error}") from error

    def _compare(
        self, subscriber: SubscribedTerms, month: Period, segments: Sequence[Segment]
    ) -> RequotedMonth:
        inputs = QuoteInputs(
            period=month,
            currency=self.currency,
            segments=tuple(segments),
            book=self._books[month],
            discounts=subscriber.discounts,
        )
        # Both of the same inputs but the terms: what differs is the terms' doing.
        now, later = quote(inputs), quote(inputs.under(self.terms))
        over_now, over_later = _over(now), _over(later)
        unpriced = [kind for kind, is_priced in over_later.items() if not is_priced]
        return RequotedMonth(
            subscriber=subscriber,
            month=month,
            now=now.subtotal.amount,
            later=later.subtotal.amount,
            crosses_into=tuple(sorted(over_later.keys() - over_now.keys())),
            loses_price=tuple(sorted(kind for kind in unpriced if over_now.get(kind, True))),
        )


def _over(quoted: Quote) -> dict[str, bool]:
    """Return the kinds that are over their allowance, each with whether it has a price."""
    return {line.code: line.type is not _UNPRICED for line in quoted.lines if line.overage}
