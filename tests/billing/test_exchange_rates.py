"""Exchange rates: which counts for a day, in which direction, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import month_of
from billing.costs.exchange_rates import MissingExchangeRate, convert, valuation_day
from billing.models import ExchangeRate
from billing.queries import MarginBy, SpreadRule, report_margin
from tests.billing.margins import APRIL, LATER, a_rate, margin, sold
from tests.console.conftest import Login, login

__all__ = ["login"]  # the fixture of the console's tests

pytestmark = pytest.mark.django_db
FIFTY = Money(Decimal("50.00"), "AUD")


@pytest.mark.parametrize(
    ("day", "dollars"),
    [
        (date(2026, 4, 9), None),
        (date(2026, 4, 10), "32.50"),
        (date(2026, 4, 19), "32.50"),
        (date(2026, 4, 20), "30.00"),
        (date(2026, 5, 21), "30.00"),  # 31 days later
        (date(2026, 5, 22), None),
    ],
)
def test_the_last_rate_up_to_a_day_counts_for_31_days(day: date, dollars: str | None) -> None:
    a_rate("0.65", day=date(2026, 4, 10))
    a_rate("0.60", day=date(2026, 4, 20))
    if dollars is None:
        with pytest.raises(MissingExchangeRate, match=f"from AUD to USD on {day}"):
            convert(FIFTY, "USD", day)
    else:
        assert convert(FIFTY, "USD", day) == Money(Decimal(dollars), "USD")


def test_a_rate_counts_in_both_directions_and_a_currency_needs_none_to_itself() -> None:
    a_rate("1.6", pair="USD AUD")
    assert convert(FIFTY, "USD", date(2026, 4, 30)) == Money(Decimal("31.25"), "USD")
    assert convert(Money(Decimal(10), "USD"), "AUD", date(2026, 4, 30)) == Money(Decimal(16), "AUD")
    assert convert(FIFTY, "AUD", date(1999, 1, 1)) is FIFTY
    with pytest.raises(MissingExchangeRate, match="from EUR to USD on 2026-04-30"):
        convert(Money(Decimal(1), "EUR"), "USD", date(2026, 4, 30))


def test_a_missing_rate_names_the_months_last_day_and_never_counts_as_one() -> None:
    sold("shop")
    with pytest.raises(MissingExchangeRate, match="from AUD to USD on 2026-04-30"):
        margin()
    a_rate("0.65", day=date(2026, 5, 1))  # a day too late
    with pytest.raises(MissingExchangeRate):
        report_margin(month=APRIL, by=MarginBy.PLAN, spread=SpreadRule.NONE, at=LATER)


def test_the_running_month_is_converted_at_today() -> None:
    assert valuation_day(APRIL, at=LATER) == date(2026, 4, 30)
    assert valuation_day(month_of(LATER), at=datetime(2026, 5, 3, 1, tzinfo=UTC)) == date(2026, 5, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"from_currency": "USD", "to_currency": "AUD"},  # the other direction of one that there is
        {"rate": Decimal(0)},
        {"to_currency": "AUD"},
        {"from_currency": "aud"},
        {"source": ""},
    ],
)
def test_the_database_refuses_a_second_rate_of_a_day_and_what_makes_no_rate(
    fields: dict[str, object],
) -> None:
    plain = {"from_currency": "AUD", "to_currency": "USD", "rate": Decimal("0.65"), "source": "a test"}
    ExchangeRate.objects.create(**plain, day=date(2026, 4, 1))
    row = {**plain, "day": date(2026, 4, 1 if "to_currency" in fields else 2), **fields}
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeRate.objects.create(**row)


def form(**fields: str) -> dict[str, str]:
    plain = {
        "from_currency": "AUD",
        "to_currency": "USD",
        "day": "2026-04-30",
        "rate": "0.65",
        "source": "RBA",
    }
    return {**plain, "_form_submitted": "on", **fields}


def test_billing_keeps_rates_in_the_console_and_is_told_what_is_wrong(login: Login) -> None:
    client = login("billing")
    address = "/admin/billing/exchangerate/add/"
    assert client.post(address, form()).status_code == 302
    assert ExchangeRate.objects.get().rate == Decimal("0.65")
    twice = client.post(address, form(from_currency="USD", to_currency="AUD")).content.decode()
    assert "These two currencies have a rate of this day." in twice
    assert "A rate is more than 0." in client.post(address, form(day="2026-04-29", rate="0")).content.decode()
    assert ExchangeRate.objects.count() == 1


def test_a_viewer_keeps_none(login: Login) -> None:
    client: Client = login("viewer")
    assert client.post("/admin/billing/exchangerate/add/", form()).status_code == 403
