"""Quotes of a month for the whole book: a fixed number of queries for each thousand subscriptions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import Q, Sum
from django.db.models.functions import TruncDate

from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from catalog.models import PlanVersion
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.lines import Quote
from catalog.values.terms import PriceBook
from deployments.models import Subscription
from deployments.queries import quote_inputs, segments_of, subscriptions_for_quotes
from metering.models import UsageRecord
from metering.quotes import UsageByDay, sum_days

_BATCH: Final = 1_000
_USAGE_OF_DEPLOYMENTS: Final = load(__package__, "usage_of_deployments.sql")
_NONE: Final[Mapping[str, Decimal]] = {}


class _DeploymentSum(NamedTuple):
    deployment: int
    kind: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SubscriptionQuote:
    """A subscription's quote of a month, and the last plan version that it had in it."""

    subscription: Subscription
    plan_version: PlanVersion
    quote: Quote


def quote_fleet(month: Period) -> Iterator[SubscriptionQuote]:
    """Quote the month of every subscription with days in it, by the usage recorded so far, in order of keys.

    Five queries more for each currency and 1,000 subscriptions than the subscriptions themselves take.
    """
    in_force = Q(versions__starts_on__lt=month.end) & (
        Q(versions__ends_on=None) | Q(versions__ends_on__gt=month.start)
    )
    books: dict[str, PriceBook] = {}
    last = 0
    while True:
        # By key, not by offset: a subscription made meanwhile shifts no batch.
        found = subscriptions_for_quotes().filter(in_force, pk__gt=last).distinct().order_by("pk")[:_BATCH]
        batch = list(found)
        yield from _quote_batch(batch, month, books)
        if len(batch) < _BATCH:
            return
        last = batch[-1].pk


def _quote_batch(
    batch: Sequence[Subscription], month: Period, books: dict[str, PriceBook]
) -> Iterator[SubscriptionQuote]:
    of_month = usage_of_deployments([each.deployment_id for each in batch], month)
    # By days alone where the month has several parts, or not all of it: most have one, and a month's sum.
    parted = {each.deployment_id for each in batch if [s.days for s in segments_of(each, month)] != [month]}
    by_day = _usage_of_days(sorted(parted), month)

    for subscription in batch:
        deployment = subscription.deployment_id
        currency = subscription.plan_version.currency
        # Two queries for each currency of the book, not for each subscription.
        if currency not in books:
            books[currency] = price_book(month, currency)

        # Bound now: the loop goes on before a generator's caller is done with this quote.
        def usage_of(days: Period, deployment: int = deployment) -> Mapping[str, Decimal]:
            if days == month:
                return of_month.get(deployment, _NONE)
            return sum_days(by_day.get(deployment, {}), days)

        # In order of their days; one at least overlaps, or the query had left it out.
        versions = [row for row in subscription.versions.all() if row.days.overlap(month)]
        yield SubscriptionQuote(
            subscription=subscription,
            plan_version=versions[-1].plan_version,
            quote=quote(quote_inputs(subscription, month, books[currency], usage_of)),
        )


def usage_of_deployments(deployments: Sequence[int], period: Period) -> dict[int, dict[str, Decimal]]:
    """Return the sum of each billing kind's usage on these days, by the deployment's key. One query.

    A deployment, or a kind of one, without any is left out.
    """
    asked = {"deployments": list(deployments), "since": period.starts_at, "until": period.ends_at}
    usage: dict[int, dict[str, Decimal]] = {}
    for deployment, kind, quantity in fetch_all(_USAGE_OF_DEPLOYMENTS, asked, into=_DeploymentSum):
        of_deployment = usage.get(deployment)
        if of_deployment is None:  # not setdefault: a dictionary a row would be thrown away
            of_deployment = usage[deployment] = {}
        of_deployment[kind] = quantity
    return usage


def _usage_of_days(deployments: Sequence[int], month: Period) -> dict[int, UsageByDay]:
    records = UsageRecord.objects.filter(
        deployment__in=deployments, period_start__gte=month.starts_at, period_start__lt=month.ends_at
    )
    days = records.order_by().annotate(day=TruncDate("period_start", tzinfo=UTC))
    sums = days.values("deployment", "day", "resource_kind").annotate(total=Sum("qty"))
    usage: dict[int, UsageByDay] = {}
    for deployment, day, kind, total in sums.values_list("deployment", "day", "resource_kind", "total"):
        usage.setdefault(deployment, {}).setdefault(day, {})[kind] = total
    return usage
