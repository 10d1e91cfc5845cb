"""The values that billing passes around: what a line is, how it was matched, how far an invoice is."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from django.db.models import TextChoices

CENT: Final = Decimal("0.01")
DECIMAL_PLACES: Final = 10  # of an amount and of hours, as billed; what is finer is refused, never rounded
MAX_DIGITS: Final = 24

_PERIOD: Final = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})(?P<day>-01)?")
_NO_PERIOD: Final = "Must be a month, as 2026-04, or its first day, as 2026-04-01."

TAX: Final = "tax"
OTHER: Final = "other"


class IngestStatus(TextChoices):
    """How far an invoice's lines are. A mismatch has its lines, but they don't add up to it."""

    PENDING = "pending"
    INGESTED = "ingested"
    FAILED = "failed"
    MISMATCH = "mismatch"


class Match(TextChoices):
    """How a line found its resource: by the id that came with it, by its name alone, or by who lived then."""

    ID = "id"
    UNIQUE = "unique"
    LIFETIME = "lifetime"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


MATCHED: Final = (Match.ID, Match.UNIQUE, Match.LIFETIME)


class PushStatus(TextChoices):
    """What finance has of an invoice. `refused`: a 4xx, which waits for an operator."""

    WAITING = "waiting"
    PUSHED = "pushed"
    REFUSED = "refused"


class BilledLine(NamedTuple):
    """One row of an invoice's CSV. `number` counts rows of data from 1; instants are aware."""

    number: int
    product: str
    group_description: str
    description: str
    hours: Decimal | None
    started_at: datetime
    ended_at: datetime
    amount: Decimal
    project_name: str
    category: str


def cents(amount: Decimal) -> int:
    """An amount in minor units, half a cent rounded up (away from zero)."""
    return int(amount.quantize(CENT, rounding=ROUND_HALF_UP).scaleb(2))


def exact(amount: Decimal) -> str:
    """An amount as text: at least two decimal places, more where it has more, and nothing rounded."""
    plain = f"{amount:f}"
    whole, _, fraction = plain.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def period_of(text: str) -> date:
    """The first day of a month. Raises ValueError for another day, and for what is no month."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(_NO_PERIOD)
    try:
        return date(int(found["year"]), int(found["month"]), 1)
    except ValueError:
        raise ValueError(_NO_PERIOD) from None
