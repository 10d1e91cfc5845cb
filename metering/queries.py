"""The reads of metering: sums of usage, as the quote engine takes them, and what they cost."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import Avg, QuerySet, Sum
from django.db.models.functions import TruncDate

from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.kinds import BillingKind
from catalog.values.lines import Quote
from deployments.models import Subscription
from deployments.queries import quote_inputs
from metering.closed_months import MonthComparison, compare_closed_month
from metering.fleet_quotes import SubscriptionQuote, quote_fleet, usage_of_deployments
from metering.models import BandwidthMeasurement, UsageRecord
from metering.quotes import MonthQuote, UsageChange, compare_usage, quote_month, running_days, usage_by_day

__all__ = [
    "MonthComparison",
    "MonthQuote",
    "SubscriptionQuote",
    "UsageChange",
    "bandwidth_coverage",
    "compare_closed_month",
    "compare_usage",
    "fleet_usage_for_period",
    "quote_fleet",
    "quote_month",
    "quote_usage",
    "running_days",
    "summarize_usage",
    "usage_by_day",
    "usage_for_period",
    "usage_of_deployments",
    "usage_of_parts",
]

_USAGE_FOR_PERIOD: Final = load(__package__, "usage_for_period.sql")
_USAGE_OF_PARTS: Final = load(__package__, "usage_of_parts.sql")


class _KindSum(NamedTuple):
    kind: str
    quantity: Decimal


class _PartSum(NamedTuple):
    part: int
    kind: str
    quantity: Decimal


def usage_for_period(deployment_pk: int, period: Period) -> dict[str, Decimal]:
    """Return the sum of each billing kind's usage on these days; a kind without any is left out. One query.

    It is read from the key's index alone, whatever the table's size.
    """
    # A statement, not a queryset: to build one costs more than the sum.
    parameters = {"deployment": deployment_pk, "since": period.starts_at, "until": period.ends_at}
    return dict(fetch_all(_USAGE_FOR_PERIOD, parameters, into=_KindSum, prepared=True))


def usage_of_parts(parts: Sequence[tuple[int, Period]]) -> list[dict[str, Decimal]]:
    """Return `usage_for_period` of each deployment's days, in the order of `parts`. One query."""
    parameters = {
        "deployments": [deployment for deployment, _ in parts],
        "since": [days.starts_at for _, days in parts],
        "until": [days.ends_at for _, days in parts],
    }
    usage: list[dict[str, Decimal]] = [{} for _ in parts]
    for part, kind, quantity in fetch_all(_USAGE_OF_PARTS, parameters, into=_PartSum):
        usage[part][kind] = quantity
    return usage


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


def summarize_usage(records: QuerySet[UsageRecord]) -> list[tuple[date, str, Decimal]]:
    """Return the sums of records by day and kind, in this order. One query."""
    days = records.annotate(day=TruncDate("period_start", tzinfo=UTC)).values("day", "resource_kind")
    sums = days.annotate(total=Sum("qty")).order_by("day", "resource_kind")
    return list(sums.values_list("day", "resource_kind", "total"))


def bandwidth_coverage(deployment_pk: int, period: Period) -> str | None:
    """Return the part of its droplets' time on these days with samples of bandwidth; None where none has."""
    droplets = UsageRecord.objects.filter(
        deployment=deployment_pk,
        resource_kind=BillingKind.BANDWIDTH_GB,
        period_start__gte=period.starts_at,
        period_start__lt=period.ends_at,
    )
    measured = BandwidthMeasurement.objects.filter(
        resource__in=droplets.values("resource"), day__gte=period.start, day__lt=period.end
    )
    average = measured.aggregate(average=Avg("coverage"))["average"]
    return None if average is None else f"{average:.4f}"
