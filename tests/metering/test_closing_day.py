"""The day of a pause or a cancellation belongs to what it ends: its fee and its usage are never due."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from arcadia_cloud.kernel.periods import Period
from deployments.models import Subscription
from deployments.services import transition
from metering.models import UsageRecord
from metering.queries import quote_month
from tests.deployments.rows import BY, JUNE, noon, on_sale, subscribed

pytestmark = pytest.mark.django_db


def use(subscription: Subscription, day: int, quantity: int = 10) -> None:
    """Store usage of a day of June, above any allowance: a dollar each."""
    bounds = Period(date(2026, 6, day), date(2026, 6, day) + timedelta(days=1))
    UsageRecord.objects.create(
        deployment=subscription.deployment,
        resource_kind="llm_tokens",
        period_start=bounds.starts_at,
        period_end=bounds.ends_at,
        granularity="daily",
        qty=quantity,
    )


def used(subscription: Subscription) -> Decimal:
    """The usage that the month's quote charges."""
    lines = quote_month(subscription.deployment_id, JUNE, at=noon(1, 7)).quote.lines
    return sum((line.used or Decimal(0) for line in lines), Decimal(0))


def move(subscription: Subscription, to: str, day: int) -> None:
    transition(deployment_pk=subscription.deployment_id, to=to, actor=BY, at=noon(day))


@pytest.mark.parametrize("proration", ["none", "daily"])
@pytest.mark.parametrize("to", ["paused", "cancelled"])
def test_the_day_before_is_charged_and_the_closing_day_is_not(proration: str, to: str) -> None:
    on_sale("plan", 3000, proration=proration, llm_tokens=0)
    subscription = subscribed("plan")
    for day in (14, 15, 16):
        use(subscription, day, quantity=day)
    move(subscription, to, 15)
    assert used(subscription) == 14


def test_the_day_of_the_way_back_is_charged_whole() -> None:
    on_sale("plan", 3000, proration="daily", llm_tokens=0)
    subscription = subscribed("plan")
    for day in (10, 15, 20):
        use(subscription, day, quantity=day)
    move(subscription, "paused", 15)
    move(subscription, "active", 20)
    assert used(subscription) == 10 + 20


def test_what_is_paused_on_the_day_of_its_beginning_has_that_day_and_its_usage() -> None:
    on_sale("plan", 3000, proration="daily", llm_tokens=0)
    subscription = subscribed("plan")
    use(subscription, 1)
    move(subscription, "paused", 1)
    assert used(subscription) == 10
    move(subscription, "active", 2)
    use(subscription, 2)
    move(subscription, "paused", 2)
    assert used(subscription) == 20, "so none is paused and resumed for free day by day"
