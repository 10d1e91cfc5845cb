"""Months without a day whose costs are computed: revenue is known, cost and margin aren't."""

from datetime import date
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import month_of
from billing.costs.margin_months import compute_margin_month
from billing.models import CostDay, MarginMonth
from billing.queries import (
    KnownFigures,
    MarginBy,
    SpreadRule,
    list_months_by_plan,
    list_months_of_deployment,
    report_margin,
)
from tests.billing.margins import APRIL, LATER, a_computed_day, a_rate, cost_of, margin, sold

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by", MarginBy)
@pytest.mark.parametrize("spread", SpreadRule)
def test_costs_of_a_month_without_a_computed_day_are_unknown(by: MarginBy, spread: SpreadRule) -> None:
    """As on the first day of each: its fees are known, and a cost of 0 would be a lie."""
    a_rate("0.65")
    sold("shop")
    never = report_margin(month=APRIL, by=by, spread=spread, at=LATER)
    assert never.known(never.total) == KnownFigures()
    report = margin(by, spread)
    sold_for = KnownFigures(Decimal("32.5"), revenues=(Money(Decimal(50), "AUD"),))
    assert report.costs_until is None
    shown = {report.known(each) for each in (report.total, *(row.figures for row in report.rows))}
    assert shown == {sold_for}
    # A computed day on which nothing ran costs nothing, and that is known.
    a_computed_day(date(2026, 4, 1))
    report = margin(by, spread)
    assert report.costs_until == date(2026, 4, 1)
    known = report.known(report.total)
    assert (known.cost, known.shared, known.margin) == (Decimal(0), Decimal(0), Decimal("32.5"))


def test_months_before_the_first_computed_day_have_a_revenue_alone() -> None:
    a_rate("0.65")
    shop = sold("shop").deployment
    compute_margin_month(APRIL)
    for months in (list_months_of_deployment(shop.pk, at=LATER), list_months_by_plan(at=LATER)["studio"]):
        (april,) = (each for each in months if each.month == APRIL)
        assert (april.revenue, april.cost, april.margin) == (Decimal("32.5"), None, None)
        assert {each.revenue for each in months if each.month != APRIL} == {None}
    a_computed_day(date(2026, 4, 1))
    compute_margin_month(APRIL)
    (april,) = (each for each in list_months_of_deployment(shop.pk, at=LATER) if each.month == APRIL)
    assert (april.cost, april.margin) == (Decimal(0), Decimal("32.5"))


def test_a_day_that_is_due_again_leaves_its_month_known() -> None:
    day = a_computed_day(date(2026, 4, 2))
    cost_of("1.00", sold("shop").deployment)
    compute_margin_month(APRIL)
    CostDay.objects.filter(pk=day.pk).update(computed_at=None)
    compute_margin_month(APRIL)
    assert MarginMonth.objects.get(month=APRIL.start).costs_until == date(2026, 4, 1)


def test_months_that_were_stored_before_are_known_as_far_as_their_days_were() -> None:
    """The migration's statement, on a month with costs, one whose days cost nothing, and one without any."""
    march, may = month_of(date(2026, 3, 1)), month_of(date(2026, 5, 1))
    cost_of("1.00", day=date(2026, 4, 9))
    for day in (date(2026, 3, 30), date(2026, 3, 31)):
        a_computed_day(day)
    for month in (march, APRIL, may):
        compute_margin_month(month)
    MarginMonth.objects.update(costs_until=None)
    CostDay.objects.filter(day=date(2026, 3, 31)).update(computed_at=None)  # is due again

    with connection.cursor() as cursor:
        cursor.execute(import_module("billing.migrations.0015_last_day_of_a_months_costs").FILL)

    known = dict(MarginMonth.objects.values_list("month", "costs_until"))
    assert known == {march.start: date(2026, 3, 30), APRIL.start: date(2026, 4, 9), may.start: None}
