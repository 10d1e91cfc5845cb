"""The reads of metering: sums of usage, as the quote engine takes them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import Sum

from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.lines import Quote
from deployments.models import Subscription
from deployments.queries import quote_inputs
from metering.models import UsageRecord

_USAGE_FOR_PERIOD: Final = load(__package__, "usage_for_period.sql")


class _KindSum(NamedTuple):
    kind: str
    quantity: Decimal


def usage_for_period(deployment_pk: int, period: Period) -> dict[str, Decimal]:
    """Return the sum of each billing kind's usage on these days; a kind without any is left out. One query.

    It is read from the key's index alone, whatever the table's size.
    """
    # A statement, not a queryset: to build one costs more than the sum.
    parameters = {"deployment": deployment_pk, "since": period.starts_at, "until": period.ends_at}
    return dict(fetch_all(_USAGE_FOR_PERIOD, parameters, into=_KindSum, prepared=True))


def fleet_usage_for_period(period: Period) -> dict[int, dict[str, Decimal]]:
    """Return `usage_for_period` of every deployment that has usage on these days, by its key. One query."""
    records = UsageRecord.objects.filter(period_start__gte=period.starts_at, period_start__lt=period.ends_at)
    sums = records.values("deployment", "resource_kind").annotate(total=Sum("qty"))
    usage: dict[int, dict[str, Decimal]] = {}
    for deployment, kind, total in sums.values_list("deployment", "resource_kind", "total"):
        usage.setdefault(deployment, {})[kind] = total
    return usage


def quote_usage(subscription: Subscription, period: Period) -> Quote:
    """Quote a period of a subscription with the usage that is recorded of its days, one query a segment.

    `subscription` is one of `subscriptions_for_quotes`.
    """

    def usage_of(days: Period) -> Mapping[str, Decimal]:
        return usage_for_period(subscription.deployment_id, days)

    book = price_book(period, subscription.plan_version.currency)
    return quote(quote_inputs(subscription, period, book, usage_of))
