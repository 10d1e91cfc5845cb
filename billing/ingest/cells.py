"""One cell of an invoice's CSV: text into an exact amount, hours, or an instant. Nothing is guessed."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from billing.values import DECIMAL_PLACES, MAX_DIGITS

T = TypeVar("T")

_MOST_REMEMBERED: Final = 20_000
_MOST_WHOLE_DIGITS: Final = MAX_DIGITS - DECIMAL_PLACES
# $5.00, 1,015.00, -$5.00, $-5.00, -5.00
_AMOUNT: Final = re.compile(
    r"(?P<before>-?)\$?(?P<after>-?)(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?P<fraction>\.[0-9]+)?"
)
# What the provider writes (2026-04-01 00:00:00 +0000), and ISO 8601. A zone must stand.
_INSTANT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[ Tt](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r" ?(?P<zone>[Zz]|UTC|[+-][0-9]{2}:?[0-9]{2})"
)


class Memo(dict[str, T]):
    """Remembers what texts mean: an invoice's rows share their dates and prices. Bounded."""

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> T:
        if len(self) >= _MOST_REMEMBERED:  # a hostile file of distinct cells must not fill the memory
            self.clear()
        value = self[text] = self._read(text)
        return value


def amount(text: str) -> Decimal:
    """An amount in major units. Raises ValueError for anything else, with the rule in words."""
    plain = text.strip()
    in_parentheses = plain.startswith("(") and plain.endswith(")")
    found = _AMOUNT.fullmatch(plain[1:-1].strip() if in_parentheses else plain)
    if found is None:
        raise ValueError("is no amount")
    signs = found["before"] + found["after"]
    if len(signs) + in_parentheses > 1:
        raise ValueError("is negative twice")
    number = _decimal(found["whole"], found["fraction"] or "")
    return -number if signs or in_parentheses else number


def hours(text: str) -> Decimal | None:
    """A number of hours; None where the cell is empty. Raises ValueError."""
    plain = text.strip()
    if not plain:
        return None
    found = _AMOUNT.fullmatch(plain)
    if found is None or "$" in plain or found["before"] or found["after"]:
        raise ValueError("is no number of hours")
    return _decimal(found["whole"], found["fraction"] or "")


def instant(text: str) -> datetime:
    """An aware instant. Raises ValueError; a time without a zone is refused."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError("is no time with a zone, as 2026-04-01 00:00:00 +0000")
    zone = found["zone"].upper().replace("UTC", "Z")
    try:
        return datetime.fromisoformat(f"{found['day']}T{found['time']}{zone}")
    except ValueError as error:
        raise ValueError("is no time of the calendar") from error


def _decimal(whole: str, fraction: str) -> Decimal:
    digits = whole.replace(",", "")
    if len(digits) > _MOST_WHOLE_DIGITS or len(fraction) > DECIMAL_PLACES + 1:
        raise ValueError(f"has more than {_MOST_WHOLE_DIGITS} digits or {DECIMAL_PLACES} decimal places")
    return Decimal(digits + fraction)
