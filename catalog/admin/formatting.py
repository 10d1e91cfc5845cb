"""The catalog's values as an operator reads them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.console.formatting import NOTHING
from arcadia_cloud.kernel.money import Money, exact_text, format_money
from catalog.states import VersionStatus

STATUS_COLOURS: Final[Mapping[str, str]] = {
    VersionStatus.DRAFT: "info",
    VersionStatus.ACTIVE: "success",
    VersionStatus.RETIRED: "",
}
UNKNOWN_COUNT: Final = "unknown"


def format_cents(cents: int, currency: str) -> str:
    """Format a price in whole minor units."""
    return format_money(Money.from_cents(cents, currency))


def format_quantity(quantity: Decimal | None) -> str:
    """Format a quantity without trailing zeros; a dash where there is none."""
    return NOTHING if quantity is None else exact_text(quantity, places=0)


def format_count(counts: Mapping[int, int] | None, pk: int) -> str:
    """Format the number of subscriptions of a version: unknown where no app counts them."""
    return UNKNOWN_COUNT if counts is None else str(counts[pk])
