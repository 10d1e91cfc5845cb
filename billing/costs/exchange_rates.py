"""Exchange rates: an amount in another currency. A rate that is missing is an error, never 1.0."""

from datetime import date

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.money import Money


class MissingExchangeRate(Conflict):
    """No rate of this pair of currencies is known for the day."""

    code = "missing_exchange_rate"


def convert(amount: Money, to: str, day: date) -> Money:
    """Convert by a day's rate, unrounded. Raises MissingExchangeRate naming the pair and the day."""
    if amount.currency == to:
        return amount
    raise MissingExchangeRate(f"there is no exchange rate from {amount.currency} to {to} on {day}")
