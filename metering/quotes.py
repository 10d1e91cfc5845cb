"""Quotes of a deployment's month by its recorded usage, and forecasts of the running one.

The forecast takes each kind's average day, of those that are over and charged, for the days that are left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncDate

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.lines import Quote
from deployments.errors import NotSubscribed
from deployments.models import Subscription
from deployments.queries import (
    get_subscription_for_deployment,
    quote_inputs,
    segments_of,
    subscriptions_for_quotes,
)
from metering.models import UsageRecord

_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_UNIT: Final = Decimal(1).scaleb(-QUANTITY_PLACES)

# Quantities by billing kind, by day.
UsageByDay = dict[date, dict[str, Decimal]]


@dataclass(frozen=True, slots=True)
class MonthQuote:
    """The quote of a month by the usage that is recorded, and its forecast.

    `forecast` is None for a month that is over, and while no charged day of the running one is.
    """

    subscription: Subscription
    usage: UsageByDay
    quote: Quote
    forecast: Quote | None


@dataclass(frozen=True, slots=True)
class UsageChange:
    """The quotes of a month with the days as they would have been used, and as they were."""

    expected: Money
    actual: Money

    @property
    def percent(self) -> int | None:
        """The change in whole percent; None where nothing was expected, and something came."""
        if not self.expected.amount:
            return None if self.actual.amount else 0
        change = (self.actual - self.expected).amount * 100 / self.expected.amount
        return int(change.to_integral_value(ROUND_HALF_UP))


def usage_by_day(deployment_pk: int, period: Period) -> UsageByDay:
    """Return each day's usage by billing kind; a day without any is left out. One query."""
    records = UsageRecord.objects.filter(
        deployment=deployment_pk, period_start__gte=period.starts_at, period_start__lt=period.ends_at
    )
    sums = records.annotate(day=TruncDate("period_start", tzinfo=UTC)).values("day", "resource_kind")
    # In UTC whatever the session's zone: a record of an hour belongs to its UTC day.
    found: UsageByDay = {}
    for row in sums.annotate(total=Sum("qty")).order_by("day", "resource_kind"):
        found.setdefault(row["day"], {})[row["resource_kind"]] = row["total"]
    return found


def quote_month(deployment_pk: int, month: Period, *, at: datetime) -> MonthQuote:
    """Quote a deployment's month under the subscription that it had then, with a forecast of the running one.

    A fixed number of queries. Raises NotSubscribed for a deployment that never was, InvalidInput for a month
    that has yet to come.
    """
    if month.starts_at > at:
        refusal = "Must not be a month that has yet to come."
        raise InvalidInput(refusal, errors={"period": [refusal]})
    subscription = _subscription_in(deployment_pk, month)
    usage = usage_by_day(deployment_pk, month)
    book = price_book(month, subscription.plan_version.currency)

    def usage_so_far(days: Period) -> Mapping[str, Decimal]:
        return sum_days(usage, days)

    so_far = quote(quote_inputs(subscription, month, book, usage_so_far))
    today = at.astimezone(UTC).date()
    segments = segments_of(subscription, month) if month == month_of(at) else ()
    if not segments or segments[0].days.start >= today:
        return MonthQuote(subscription, usage, so_far, None)
    # Only days that are charged: what a trial used, or a pause, says nothing of the rest.
    over = [days for segment in segments if (days := segment.days.overlap(Period(month.start, today)))]
    average = _average_day(usage, over)

    def usage_expected(days: Period) -> Mapping[str, Decimal]:
        left = days.overlap(Period(today, month.end))
        known, expected = sum_days(usage, days), {}
        for kind in known.keys() | average.keys():
            still = _ROUNDING.multiply(average.get(kind, Decimal(0)), left.days if left else 0)
            # What has been used today is more than an average day sometimes, and isn't taken back.
            used = sum_days(usage, left).get(kind, Decimal(0)) if left else Decimal(0)
            rest = max(still.quantize(_UNIT, context=_ROUNDING), used)
            expected[kind] = known.get(kind, Decimal(0)) - used + rest
        return expected

    forecast = quote(quote_inputs(subscription, month, book, usage_expected))
    return MonthQuote(subscription, usage, so_far, forecast)


def compare_usage(deployment_pk: int, days: Period) -> UsageChange | None:
    """Return what these days' usage does to the quote of their month; None for a deployment without one.

    Compared with days that use what the seven days before them used on average.
    """
    month = month_of(days.end - timedelta(days=1))
    try:
        subscription = _subscription_in(deployment_pk, month)
    except NotSubscribed:
        return None
    before = Period(days.start - timedelta(days=7), days.start)
    usage = usage_by_day(deployment_pk, Period(min(before.start, month.start), days.end))
    average = {kind: used.quantize(_UNIT) for kind, used in _average_day(usage, [before]).items()}
    book = price_book(month, subscription.plan_version.currency)

    def total_of(used: UsageByDay) -> Money:
        return quote(quote_inputs(subscription, month, book, lambda part: sum_days(used, part))).total

    return UsageChange(expected=total_of(usage | dict.fromkeys(days, average)), actual=total_of(usage))


def _subscription_in(deployment_pk: int, month: Period) -> Subscription:
    """Return the subscription with days in the month, the live one before one that ended in it."""
    in_force = Q(versions__starts_on__lt=month.end) & (
        Q(versions__ends_on=None) | Q(versions__ends_on__gt=month.start)
    )
    with_days = subscriptions_for_quotes().filter(in_force, deployment=deployment_pk)
    found = with_days.order_by(F("cancelled_at").desc(nulls_first=True), "-pk").first()
    found = found or get_subscription_for_deployment(deployment_pk)
    if found is None:
        raise NotSubscribed("the deployment was never subscribed: nothing has a price")
    return found


def sum_days(usage: UsageByDay, days: Period) -> dict[str, Decimal]:
    """Return the sums of these days by billing kind."""
    total: dict[str, Decimal] = {}
    for day in days:
        for kind, quantity in usage.get(day, {}).items():
            total[kind] = total.get(kind, Decimal(0)) + quantity
    return total


def _average_day(usage: UsageByDay, periods: list[Period]) -> dict[str, Decimal]:
    number = sum(days.days for days in periods)
    total: dict[str, Decimal] = {}
    for days in periods:
        for kind, quantity in sum_days(usage, days).items():
            total[kind] = total.get(kind, Decimal(0)) + quantity
    return {kind: _ROUNDING.divide(quantity, number) for kind, quantity in total.items()}


def running_days(at: datetime) -> Period:
    """Return the days of the running month up to and with today."""
    return Period(month_of(at).start, at.astimezone(UTC).date() + timedelta(days=1))
