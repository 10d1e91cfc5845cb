"""Exchange rates: which one counts for a day, and the conversion of amounts by it.

For a day counts the last rate of the pair on or before it that is at most 31 days older. A month is converted
at its last day, the running one at today: see `valuation_day`. A rate that is missing is an error, never 1.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Self

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from billing.models import ExchangeRate

MOST_DAYS_OLD: Final = 31
_INVERSE_PLACES: Final = Decimal(1).scaleb(-12)
_DIVISION: Final = Context(prec=60, rounding=ROUND_HALF_UP)


class MissingExchangeRate(Conflict):
    """An amount can't be converted: the pair has no rate for the day."""

    code = "missing_exchange_rate"


class ExchangeRates:
    """The rates of some days, at hand."""

    def __init__(self, rates: Iterable[ExchangeRate]) -> None:
        """Take the rates, the newest first."""
        self._by_pair: dict[frozenset[str], list[ExchangeRate]] = {}
        for rate in rates:
            self._by_pair.setdefault(frozenset((rate.from_currency, rate.to_currency)), []).append(rate)

    @classmethod
    def load(cls, days: Period) -> Self:
        """Read every rate that may count on one of these days. One query."""
        since = days.start - timedelta(days=MOST_DAYS_OLD)
        return cls(ExchangeRate.objects.filter(day__gte=since, day__lt=days.end).order_by("-day"))

    def rate(self, source: str, target: str, day: date) -> Decimal:
        """Return what a unit of `source` is worth in `target` on `day`.

        A rate that is kept in the other direction counts as 1 / rate, half up to twelve decimal places.
        Raises MissingExchangeRate, which names the pair and the day.
        """
        if source == target:
            return Decimal(1)
        # The newest first: the first that isn't of a later day decides, too old or not.
        for found in self._by_pair.get(frozenset((source, target)), ()):
            if day - timedelta(days=MOST_DAYS_OLD) <= found.day <= day:
                # The pair has one row a day, whichever way round an operator wrote it.
                if found.from_currency == source:
                    return found.rate
                return _DIVISION.divide(1, found.rate).quantize(_INVERSE_PLACES, context=_DIVISION)
        refusal = (
            f"there is no exchange rate from {source} to {target} on {day}, nor in the {MOST_DAYS_OLD} days "
            "before it; rates are kept in Billing, Exchange rates"
        )
        raise MissingExchangeRate(refusal)

    def convert(self, amount: Money, to: str, day: date) -> Money:
        """Convert by the rate that counts on `day`, unrounded. Raises MissingExchangeRate."""
        return Money(amount.times(self.rate(amount.currency, to, day)).amount, to)


def convert(amount: Money, to: str, day: date) -> Money:
    """Convert one amount by the rate that counts on `day`, unrounded. Raises MissingExchangeRate.

    One query; none where nothing is to be converted.
    """
    if amount.currency == to:
        return amount
    return ExchangeRates.load(Period(day, day + timedelta(days=1))).convert(amount, to, day)


def valuation_day(month: Period, *, at: datetime) -> date:
    """Return the day whose rate counts for a month: its last one, or the day of `at` while it runs."""
    return min(month.end - timedelta(days=1), at.date())
